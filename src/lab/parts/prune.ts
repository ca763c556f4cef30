import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PartsStore } from "./store.ts";

/** What this castle's catalogue has no use for, and what removing it gives back. */
export interface Leftovers {
  /** Digests of objects. */
  readonly objects: readonly string[];
  /** Keys of recipes. */
  readonly recipes: readonly string[];
  /** Not counted: files that objects which stay have as well. */
  readonly bytes: number;
}

/**
 * Finds what other versions of castle left in the store: recipes that no part of the catalogue has, and objects that
 * only they lead to. What labs on this machine use stays, of whatever version.
 * @param inUse digests of objects that something on this machine uses
 */
export async function findLeftovers(store: PartsStore, inUse: ReadonlySet<string>): Promise<Leftovers> {
  const { root } = store.objects;
  const known = new Set(await Promise.all(store.catalogue.map(({ name }) => store.key(name))));
  const keep = new Set(inUse);
  const recipes: string[] = [];
  for (const name of await namesIn(join(root, "recipes"))) {
    const key = name.replace(/\.json$/, "");
    const digest = await store.objects.digest(key);
    if (known.has(key) || (digest !== undefined && inUse.has(digest))) {
      if (digest !== undefined) keep.add(digest);
    } else {
      recipes.push(key);
    }
  }
  const folders = (await namesIn(join(root, "objects"))).filter((name) => !name.endsWith(".stamp"));
  const objects = folders.filter((digest) => !keep.has(digest));
  return { objects, recipes, bytes: await bytesOf(objects.map((digest) => join(root, "objects", digest))) };
}

/** Only with the store's lock held. Recipes go first: killed in between, an object is without one, and found again. */
export async function removeLeftovers(store: PartsStore, { objects, recipes }: Leftovers): Promise<void> {
  const { root } = store.objects;
  for (const key of recipes) await rm(join(root, "recipes", `${key}.json`), { force: true });
  for (const digest of objects) {
    await rm(join(root, "objects", `${digest}.stamp`), { force: true });
    await rm(join(root, "objects", digest), { recursive: true, force: true });
  }
}

/** Digests of the objects that labs of this user have in their settings, and that are mounted by whomever. */
export async function objectsInUse(labs: string): Promise<ReadonlySet<string>> {
  const settings = (await namesIn(labs)).map((lab) => join(labs, lab, "lab.json"));
  const processes = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name));
  const mounts = processes.map((pid) => `/proc/${pid}/mountinfo`);
  const digests = new Set<string>();
  for (const file of [...settings, ...mounts]) {
    // Processes end while they are looked at, and a lab may have no settings yet.
    const text = await readFile(file, "utf8").catch(() => "");
    for (const [, digest = ""] of text.matchAll(/\/objects\/([0-9a-f]{64})\b/g)) digests.add(digest);
  }
  return digests;
}

/** Files with several names count only if all of them go. */
async function bytesOf(folders: readonly string[]): Promise<number> {
  const linked = new Map<string, { names: number; size: number }>();
  let bytes = 0;
  for (const folder of folders) {
    for (const path of await readdir(folder, { recursive: true })) {
      const stat = await lstat(join(folder, path));
      if (!stat.isFile()) continue;
      const inode = `${stat.dev}:${stat.ino}`;
      const file = linked.get(inode) ?? { names: stat.nlink, size: stat.blocks * 512 };
      file.names--;
      linked.set(inode, file);
      if (file.names === 0) bytes += file.size;
    }
  }
  return bytes;
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
