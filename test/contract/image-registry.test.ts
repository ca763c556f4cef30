import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeImageLayout } from "../../src/image/image-layout.ts";
import { pullImage } from "../../src/image/image-pull.ts";
import { pushImage } from "../../src/image/image-push.ts";
import { writeLayer } from "../../src/image/layer-writer.ts";
import type { RegistryClient } from "../../src/image/registry-client.ts";
import { partsCatalogue } from "../../src/lab/parts/catalogue.ts";
import type { Part } from "../../src/lab/parts/part.ts";
import { allPartSets } from "../../src/lab/parts/part-sets.ts";
import { pullParts } from "../../src/lab/parts/pull.ts";
import { PartsStore } from "../../src/lab/parts/store.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../fixtures/registry.ts";

const modules = new URL("../../parts", import.meta.url).pathname;
const program = await partOrSkip("registry");

let home: string;
let registry: TestRegistry | undefined;
let endpoint: string;
let client: RegistryClient;

function store(root: string, catalogue: readonly Part[]): PartsStore {
  return new PartsStore({ root, catalogue, modules, architecture: "amd64" });
}

async function layout(name: string, compression: "none" | "gzip", path = "program"): Promise<string> {
  const folder = join(home, name);
  const layer = await writeLayer([{ type: "file", path, mode: 0o755, content: Buffer.from(`#!${name}\n`) }], {
    blobs: join(folder, "blobs/sha256"),
    compression,
  });
  await writeImageLayout(folder, [layer], { architecture: "amd64", entrypoint: ["/program"] });
  return folder;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-images-"));
  if (program === undefined) return;
  registry = await openRegistry();
  ({ client, endpoint } = registry);
});
afterAll(async () => {
  await registry?.close();
  await rm(home, { recursive: true, force: true });
});

describe.skipIf(program === undefined)("a real registry", () => {
  it.each(["none", "gzip"] as const)(
    "gives back the image that was pushed (layer: %s)",
    async (compression) => {
      const source = await layout(`pushed-${compression}`, compression);
      const digest = await pushImage(client, source, { repository: "some/image", tag: compression });
      expect(await client.digest("some/image", compression)).toBe(digest);
      const fetched: string[] = [];
      const options = {
        repository: "some/image",
        reference: compression,
        architecture: "amd64",
        folder: join(home, `pulled-${compression}`),
        onBlob: (blob: { digest: string }) => fetched.push(blob.digest),
      } as const;
      expect((await pullImage(client, options)).digest).toBe(digest);
      expect(fetched).toHaveLength(2);
      const blob = join("blobs/sha256", digest.slice(7));
      expect(await readFile(join(options.folder, blob))).toEqual(await readFile(join(source, blob)));
      await pullImage(client, options);
      expect(fetched).toHaveLength(2);
    },
  );

  it("says that a tag is not there", async () => {
    expect(await client.digest("some/image", "nothing")).toBeUndefined();
    await expect(client.manifest("some/image", "nothing")).rejects.toMatchObject({ code: "image/not-found" });
  });

  it("serves official images to castle parts pull", async () => {
    const catalogue = partsCatalogue.filter(({ name }) => name === "pause" || name === "image-pause");
    await pushImage(client, await layout("pause", "gzip"), { repository: "pause", tag: "3.10" });
    const parts = store(join(home, "parts"), catalogue);
    const options = { report: () => undefined, mirrors: { "registry.k8s.io": endpoint } };
    expect(await pullParts(parts, options)).toEqual(["image-pause"]);
    expect(await pullParts(parts, options)).toEqual([]);
    expect((await parts.images()).map(({ tag }) => tag)).toEqual(["3.10", "3.10.2"]);
    expect(await parts.missing(parts.wanted())).toEqual([]);
  });

  it("serves the programs that castle and the lab run", async () => {
    const names = ["talosctl", "kubectl", "etcdctl", "registry", "coredns", "pebble"];
    const catalogue = partsCatalogue.filter(({ name }) => names.includes(name));
    const version = (name: string) => catalogue.find((part) => part.name === name)?.version ?? "";
    const images = [
      { repository: "siderolabs/talosctl", tag: version("talosctl"), path: "talosctl" },
      { repository: "kubectl", tag: version("kubectl"), path: "bin/kubectl" },
      { repository: "etcd-development/etcd", tag: version("etcdctl"), path: "usr/local/bin/etcdctl" },
      { repository: "library/registry", tag: version("registry").slice(1), path: "bin/registry" },
      { repository: "coredns/coredns", tag: version("coredns").slice(1), path: "coredns" },
      { repository: "letsencrypt/pebble", tag: version("pebble").slice(1), path: "app" },
    ];
    for (const { repository, tag, path } of images) {
      await pushImage(client, await layout(`official-${path}`, "gzip", path), { repository, tag });
    }
    const parts = store(join(home, "programs"), catalogue);
    const hosts = ["ghcr.io", "registry.k8s.io", "gcr.io", "docker.io"];
    const options = {
      report: () => undefined,
      sets: allPartSets,
      mirrors: Object.fromEntries(hosts.map((host) => [host, endpoint])),
    };
    expect((await pullParts(parts, options)).sort()).toEqual(names.sort());
    for (const name of names) {
      const file = await parts.resolve(name);
      const program = name === "pebble" ? "app" : name;
      expect(await readFile(file, "utf8")).toMatch(new RegExp(`^#!official-.*${program}\n$`));
      expect((await stat(file)).mode & 0o777).toBe(0o755);
    }
    expect(await parts.status()).toEqual(
      catalogue.map((part) => ({ part, state: "whole", origin: "pulled" })),
    );
  });

  it("says which program an image lacks, and keeps nothing of it", async () => {
    const catalogue = partsCatalogue.filter(({ name }) => name === "kubectl");
    const tag = catalogue[0]?.version ?? "";
    await pushImage(client, await layout("empty", "gzip", "another"), { repository: "kubectl", tag });
    const parts = store(join(home, "lacking"), catalogue);
    const mirrors = { "registry.k8s.io": endpoint };
    await expect(pullParts(parts, { report: () => undefined, mirrors })).rejects.toMatchObject({
      code: "image/layout-broken",
      message: expect.stringContaining("bin/kubectl"),
    });
    expect((await parts.status()).map(({ state }) => state)).toEqual(["missing"]);
  });
});
