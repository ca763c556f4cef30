import { expect, it } from "vitest";
import type { FluxObjects } from "./flux-follower.ts";
import { findFollower } from "./flux-follower.ts";

const namespace = "flux-system";
const source = (name: string, branch = "main", url = "https://git.lan/k8s.git") => ({
  metadata: { name, namespace },
  spec: { url, ref: { branch } },
});
const kustomization = (name: string, path: string, from: string) => ({
  metadata: { name, namespace },
  spec: { path, sourceRef: { kind: "GitRepository", name: from } },
});
const remote = { url: "git@git.lan:k8s.git", branch: "main" };
const FILE = "clusters/fortress/castle/sites/blog.yaml";
const found = (objects: Omit<FluxObjects, "told">, told?: FluxObjects["told"]) => {
  const follower = findFollower({ ...objects, told }, remote, FILE);
  return [follower.source.metadata.name, ...follower.kustomizations.map(({ metadata: { name } }) => name)];
};

it("is the one nearest to the file, by the source that it follows", () => {
  const objects = {
    sources: [source("flux-system"), source("traefik"), source("sites")],
    kustomizations: [
      kustomization("root", "./", "flux-system"),
      kustomization("traefik", "./clusters/fortress/castle/traefik", "traefik"),
      kustomization("sites", "./clusters/fortress/castle/sites", "sites"),
    ],
  };
  expect(found(objects)).toEqual(["sites", "sites"]);
  // In the castle Git has another name than here.
  const inside = objects.sources.map(({ metadata: { name } }) =>
    source(name, "main", "https://inside/k8s.git"),
  );
  const told = { namespace, name: "flux-system" };
  expect(found({ ...objects, sources: inside }, told)).toEqual(["sites", "sites"]);
});

it("is all that apply the file from one source", () => {
  const objects = {
    sources: [source("flux-system")],
    kustomizations: [
      kustomization("root", ".", "flux-system"),
      kustomization("sites", "./clusters/fortress/castle/sites/", "flux-system"),
      kustomization("other", "./apps", "flux-system"),
    ],
  };
  expect(found(objects)).toEqual(["flux-system", "root", "sites"]);
});

it("is whoever applies anything where nobody's folder holds the file", () => {
  const objects = {
    sources: [source("flux-system"), source("old", "old")],
    kustomizations: [
      kustomization("overlay", "./overlays/a", "flux-system"),
      kustomization("x", "./", "old"),
    ],
  };
  expect(found(objects)).toEqual(["flux-system", "overlay"]);
});

it("is refused where nobody follows the branch", () => {
  const kustomizations = [kustomization("x", "./", "old")];
  expect(() => found({ sources: [source("old", "old")], kustomizations })).toThrow("follows the branch old");
  expect(() => found({ sources: [source("flux-system")], kustomizations: [] })).toThrow(
    "No Kustomization applies what GitRepository flux-system/flux-system fetches",
  );
});
