import { link, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Part } from "./part.ts";
import { findLeftovers, objectsInUse, removeLeftovers } from "./prune.ts";
import { PartsStore } from "./store.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-prune-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function store(version: string): PartsStore {
  const part: Part = {
    name: "stone",
    version,
    purpose: "lies there",
    set: "machines",
    source: { kind: "image-base" },
    needs: [],
    seconds: 1,
    wanted: true,
  };
  return new PartsStore({
    root: join(home, "store"),
    catalogue: [part],
    modules: home,
    architecture: "amd64",
  });
}

/** Stores 64 KiB of its own, and what it shares with every other version. @returns the object's digest */
async function put(version: string): Promise<string> {
  const parts = store(version);
  const staged = await parts.objects.stage();
  await writeFile(join(staged, "own"), version.repeat(65_536 / version.length));
  const shared = join(home, "shared");
  await writeFile(shared, "s".repeat(65_536), { flag: "wx" }).catch(() => undefined);
  await link(shared, join(staged, "shared"));
  const key = await parts.key("stone");
  return (await parts.objects.put(staged, { name: "stone", version, key, origin: "built" })).digest;
}

describe("parts that no version needs any more", () => {
  it("go, and what this version or a lab uses stays", async () => {
    const [old, standing, current] = [await put("v1.0"), await put("v1.1"), await put("v2.0")];
    const labs = join(home, "labs");
    await mkdir(join(labs, "keep"), { recursive: true });
    const settings = { parts: { rootfs: { path: join(home, "store/objects", standing) } } };
    await writeFile(join(labs, "keep", "lab.json"), JSON.stringify(settings));
    await rm(join(home, "shared"));

    const inUse = await objectsInUse(labs);
    expect([...inUse]).toContain(standing);
    const leftovers = await findLeftovers(store("v2.0"), inUse);
    // What others have as well gives nothing back.
    expect(leftovers).toMatchObject({ objects: [old], bytes: 65_536 });
    await removeLeftovers(store("v2.0"), leftovers);
    const objects = await readdir(join(home, "store/objects"));
    expect(objects.sort()).toEqual([current, `${current}.stamp`, standing, `${standing}.stamp`].sort());
    expect(await findLeftovers(store("v2.0"), inUse)).toEqual({ objects: [], recipes: [], bytes: 0 });
    expect((await store("v2.0").status()).map(({ state }) => state)).toEqual(["whole"]);
  });

  it("counts files that go with all their names", async () => {
    await put("v1.0");
    await put("v1.1");
    await rm(join(home, "shared"));
    const leftovers = await findLeftovers(store("v2.0"), new Set());
    expect(leftovers.objects).toHaveLength(2);
    expect(leftovers.bytes).toBe(3 * 65_536);
  });

  it("is found again where a removal was killed between recipe and object", async () => {
    const old = await put("v1.0");
    await rm(join(home, "store/recipes"), { recursive: true });
    expect((await findLeftovers(store("v2.0"), new Set())).objects).toEqual([old]);
  });
});
