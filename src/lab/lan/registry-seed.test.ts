import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeLayout } from "../../../test/fixtures/oci-layout.ts";
import { seedRegistry } from "./registry-seed.ts";

let folder: string;
let layout: string;
let storage: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-seed-"));
  layout = join(folder, "layout");
  storage = join(folder, "storage");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const root = () => join(storage, "docker/registry/v2");
const seed = (tag = "v1") => seedRegistry(storage, [{ repository: "team/app", tag, layout }]);

const path = (digest: string) => digest.replace(":", "/");

async function files(of: string): Promise<string[]> {
  const entries = await readdir(of, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(of.length + 1))
    .toSorted();
}

describe("seedRegistry", () => {
  it("hard-links blobs and leaves the files that Distribution looks for", async () => {
    const image = await writeLayout(layout, { layers: ["layer one"] });
    await seed();
    const [config, layer] = image.blobs;
    expect(await files(join(root(), "repositories/team/app"))).toEqual(
      [
        `_layers/${path(config ?? "")}/link`,
        `_layers/${path(layer ?? "")}/link`,
        `_manifests/revisions/${path(image.manifest)}/link`,
        `_manifests/tags/v1/current/link`,
        `_manifests/tags/v1/index/${path(image.manifest)}/link`,
      ].toSorted(),
    );
    const hex = (layer ?? "").slice(7);
    const data = join(root(), "blobs/sha256", hex.slice(0, 2), hex, "data");
    expect(await readFile(data, "utf8")).toBe("layer one");
    expect((await stat(data)).ino).toBe((await stat(join(layout, "blobs", path(layer ?? "")))).ino);
    const tag = join(root(), "repositories/team/app/_manifests/tags/v1/current/link");
    expect(await readFile(tag, "utf8")).toBe(image.manifest);
  });

  it("changes nothing the second time, and moves a tag to a new image", async () => {
    await writeLayout(layout, { layers: ["one"] });
    await seed();
    const before = await files(root());
    await seed();
    expect(await files(root())).toEqual(before);
    await rm(layout, { recursive: true });
    const second = await writeLayout(layout, { layers: ["two"] });
    await seed();
    const tag = join(root(), "repositories/team/app/_manifests/tags/v1/current/link");
    expect(await readFile(tag, "utf8")).toBe(second.manifest);
  });

  it("repairs a blob that an interrupted push left short", async () => {
    const image = await writeLayout(layout, { layers: ["the whole layer"] });
    const hex = (image.blobs[1] ?? "").slice(7);
    const data = join(root(), "blobs/sha256", hex.slice(0, 2), hex, "data");
    await mkdir(join(data, ".."), { recursive: true });
    await writeFile(data, "the who");
    await seed();
    expect(await readFile(data, "utf8")).toBe("the whole layer");
  });

  it("takes the image that is called like the tag from a layout of several", async () => {
    await writeLayout(layout, { layers: ["one"], reference: "v1" });
    const second = await writeLayout(layout, { layers: ["two"], reference: "v2" });
    await seed("v2");
    const tag = join(root(), "repositories/team/app/_manifests/tags/v2/current/link");
    expect(await readFile(tag, "utf8")).toBe(second.manifest);
    await expect(seed("v3")).rejects.toMatchObject({
      code: "lan/image-broken",
      message: expect.stringContaining("none is called v3"),
    });
  });

  it("follows an index of platforms and leaves out those that are not there", async () => {
    const image = await writeLayout(layout, { layers: ["amd64"], index: true });
    await seed();
    expect(await files(join(root(), "repositories/team/app/_manifests/revisions"))).toHaveLength(2);
    expect(image.index).toBeDefined();
  });

  it.each(["missing", "short"])("names a blob that is %s, and makes no tag", async (fault) => {
    const image = await writeLayout(layout, { layers: ["a layer"] });
    const blob = join(layout, "blobs", (image.blobs[1] ?? "").replace(":", "/"));
    if (fault === "missing") await rm(blob);
    else await writeFile(blob, "a la");
    await expect(seed()).rejects.toMatchObject({
      code: "lan/image-broken",
      message: expect.stringContaining(image.blobs[1] ?? "no blob"),
    });
    await expect(stat(join(root(), "repositories/team/app/_manifests/tags/v1"))).rejects.toThrow("ENOENT");
  });

  it("refuses a manifest whose content is not what its name says, and a layout without an index", async () => {
    const image = await writeLayout(layout, { layers: ["a layer"] });
    const path = join(layout, "blobs", image.manifest.replace(":", "/"));
    await writeFile(path, (await readFile(path, "utf8")).replace("layers", "Layers"));
    await expect(seed()).rejects.toMatchObject({ message: expect.stringContaining("other content") });
    await rm(join(layout, "index.json"));
    await expect(seed()).rejects.toMatchObject({ message: expect.stringContaining("index.json is missing") });
  });
});
