import { expect, it } from "vitest";
import { isConcerned } from "./concern.ts";

const gitops = { branch: "main", path: "clusters/fortress" };
const concerned = (...paths: string[]) =>
  (["traefik", "traefik-crds", "sites"] as const).filter((name) => isConcerned(gitops, name, paths));

it("is a component's own whose folder or overrides changed", () => {
  expect(concerned("clusters/fortress/castle/sites/site-blog.yaml")).toEqual(["sites"]);
  expect(concerned("clusters/fortress/overrides/traefik/kustomization.yaml")).toEqual(["traefik"]);
  expect(
    concerned("clusters/fortress/castle/sites/a.yaml", "clusters/fortress/castle/traefik/b.yaml"),
  ).toEqual(["traefik", "sites"]);
});

it("is everybody's where the file may be included by any", () => {
  expect(concerned("apps/base/kustomization.yaml")).toHaveLength(3);
  expect(concerned("clusters/other/castle/sites/a.yaml")).toHaveLength(3);
});

it("is nobody's where only castle's record of its folder changed", () => {
  expect(concerned("clusters/fortress/castle/.castle.json")).toEqual([]);
  expect(concerned()).toEqual([]);
});
