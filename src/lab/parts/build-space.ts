import { mkdir, statfs } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { type GoCaches, neededModules } from "./go-caches.ts";
import type { Part } from "./part.ts";

const GIB = 1024 ** 3;
/** Measured: caches and products of a whole build, and what is left to others on the disk. */
const BYTES_PER_SECOND_OF_BUILD = (15 * GIB) / 740;
const RESERVE = 2 * GIB;

interface Site {
  /** Folder of the store, which the caches lie in unless the user says otherwise. */
  readonly root: string;
  /** The folder `parts/` with the pinned modules. */
  readonly modules: string;
  readonly caches: GoCaches;
  /** The user wants to have the caches kept: they are not touched. */
  readonly keepCaches: boolean;
}

/**
 * Sees to it that there is room for the parts that are left, by what costs least to have again: modules that none of
 * them needs, then what was compiled, then all that was downloaded.
 * @returns bytes that are still lacking
 */
export async function makeRoom(parts: readonly Part[], site: Site): Promise<number> {
  const { caches, keepCaches, modules } = site;
  const groups = new Set(parts.flatMap(({ source }) => ("group" in source ? [source.group] : [])));
  const measures = [
    async () => caches.dropModules(await neededModules(modules, groups)),
    () => caches.dropBuild(),
    () => caches.drop(),
  ];
  let lacking = await lackingFor(parts, site);
  for (const measure of keepCaches ? [] : measures) {
    if (lacking <= 0) break;
    await measure();
    lacking = await lackingFor(parts, site);
  }
  return lacking;
}

/** @throws CastleError parts/disk-full */
export async function requireRoom(parts: readonly Part[], site: Site): Promise<void> {
  const lacking = await makeRoom(parts, site);
  if (lacking <= 0) return;
  const wanted = spaceFor(parts);
  const folder = site.keepCaches ? site.caches.root : site.root;
  throw new CastleError("parts/disk-full", {
    message: `building the parts takes up to ${gib(wanted)} in ${folder}, and ${gib(wanted - lacking)} are free`,
    hint: "free some disk, choose another cache with XDG_CACHE_HOME, or castle parts import FILE",
    details: { free: wanted - lacking, wanted },
  });
}

async function lackingFor(parts: readonly Part[], { root, caches, keepCaches }: Site): Promise<number> {
  const free = await freeBytes(keepCaches ? caches.root : root);
  return spaceFor(parts) - free;
}

/** Whether nothing can be written there: Go does not always say so, but finds packages missing that it could not note. */
export async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize, ffree, files } = await statfs(folder);
  // File systems that make inodes as they go tell none.
  return bavail * bsize < FULL_BYTES || (files > 0 && ffree < FULL_FILES);
}

const FULL_BYTES = 32 * 1024 ** 2;
const FULL_FILES = 64;

function spaceFor(parts: readonly Part[]): number {
  if (parts.length === 0) return 0;
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  return seconds * BYTES_PER_SECOND_OF_BUILD + RESERVE;
}

async function freeBytes(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
