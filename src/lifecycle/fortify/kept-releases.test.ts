import { expect, it } from "vitest";
import { parseSpec } from "../../spec/parse.ts";
import { keptReleases } from "./kept-releases.ts";

const parsed = parseSpec("castle: fortress\nhypervisor: lab\ngitops: {}\n", "castle.yaml");
if ("faults" in parsed) throw new Error("the spec has faults");
const kept = keptReleases(parsed.castle);
const put = (wanted: string, there: string) =>
  Buffer.from(kept.put(Buffer.from(wanted), Buffer.from(there))).toString();

const digest = `sha256:${"ab".repeat(32)}`;
const PLACEHOLDER = "image: castle.local/placeholder:v1\nreplicas: 3\n";
const live = `image: registry.lan/fortress/blog:blog-0123456789ab@${digest}\n`;

it("a new rendering keeps the release that the manifests name, and nothing else of them", () => {
  expect(put(PLACEHOLDER, `${live}replicas: 2\n`)).toBe(`${live}replicas: 3\n`);
});

it("before the first release the placeholder stays", () => {
  expect(put(PLACEHOLDER, "image: castle.local/placeholder:v1\nreplicas: 2\n")).toBe(PLACEHOLDER);
  expect(put(PLACEHOLDER, "image: somebody.else/blog:blog-0123456\n")).toBe(PLACEHOLDER);
});

it("only the sites' files have releases", () => {
  expect(
    ["sites/site-blog.yaml", "traefik/deployment.yaml", "sites/kustomization.yaml"].map(kept.isIn),
  ).toEqual([true, false, true]);
});
