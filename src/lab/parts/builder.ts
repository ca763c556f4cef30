import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { BuildProgress } from "./build-progress.ts";
import { GoToolchain } from "./go-toolchain.ts";
import type { Part } from "./part.ts";
import { makePart, type Workshop } from "./part-maker.ts";
import type { PartsStore } from "./store.ts";
import { withStoreLock } from "./store-lock.ts";
import { buildTools, requireTools } from "./tool-requirements.ts";

export interface BuildOptions {
  readonly report: Report;
  /** Installs Debian packages of missing tools instead of failing. */
  readonly installTools?: boolean;
  /** Keeps the Go caches for the next build (12 GiB). */
  readonly keepCaches?: boolean;
  /** Folder of the Go caches; inside the store unless told. */
  readonly caches?: string;
  readonly signal?: AbortSignal | undefined;
}

const GIB = 1024 ** 3;
/** Measured: caches and products of a whole build, and what is left to others on the disk. */
const BYTES_PER_SECOND_OF_BUILD = (15 * GIB) / 740;
const RESERVE = 2 * GIB;

/**
 * Sees to it that these parts are in the store: makes what is missing or broken, in dependency order. Each
 * finished part is kept, so a killed build goes on where it was.
 * @throws CastleError parts/tools-missing, parts/disk-full, parts/build-failed, parts/busy
 */
export async function ensureParts(
  store: PartsStore,
  names: readonly string[],
  options: BuildOptions,
): Promise<void> {
  if ((await store.missing(names)).length === 0) return;
  await withStoreLock(store.objects.root, async () => {
    // Looked at again: another build may have ended just before the lock was ours.
    const parts = await store.missing(names);
    if (parts.length > 0) await build(store, parts, options);
  });
}

async function build(store: PartsStore, parts: readonly Part[], options: BuildOptions): Promise<void> {
  const { root } = store.objects;
  await requireTools(buildTools(parts), options.installTools === true);
  await store.objects.clearStaging();
  await requireSpace(root, parts);
  const caches = options.caches ?? join(root, "go");
  const go = new GoToolchain({ modules: store.modules, caches, signal: options.signal });
  const workshop = { store, go, downloads: join(root, "downloads"), signal: options.signal };
  const progress = new BuildProgress(parts, options.report);
  try {
    for (const [index, part] of parts.entries()) {
      options.signal?.throwIfAborted();
      await progress.during(part, () => makeAndStore(part, workshop));
      await dropIfShort(root, parts.slice(index + 1), go);
    }
  } finally {
    await rm(workshop.downloads, { recursive: true, force: true });
  }
  if (options.keepCaches !== true) await go.dropCaches();
  progress.finish();
}

async function makeAndStore(part: Part, workshop: Workshop): Promise<void> {
  const { objects } = workshop.store;
  const staged = await objects.stage();
  try {
    await makePart(part, staged, workshop);
    await objects.put(staged, {
      name: part.name,
      version: part.version,
      key: await workshop.store.key(part.name),
      origin: "built",
    });
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (error instanceof CastleError && error.code === "command/interrupted") throw error;
    if (workshop.signal?.aborted === true) throw error;
    throw new CastleError("parts/build-failed", {
      message: `${part.name} ${part.version} could not be built: ${error instanceof Error ? error.message : String(error)}`,
      hint: "castle parts build goes on with what is left",
      cause: error,
    });
  }
}

function spaceFor(parts: readonly Part[]): number {
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  return seconds * BYTES_PER_SECOND_OF_BUILD + RESERVE;
}

async function freeBytes(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function requireSpace(root: string, parts: readonly Part[]): Promise<void> {
  const free = await freeBytes(root);
  const wanted = spaceFor(parts);
  if (free >= wanted) return;
  throw new CastleError("parts/disk-full", {
    message: `building the parts takes up to ${gib(wanted)} in ${root}, and ${gib(free)} are free`,
    hint: "free some disk, choose another cache with XDG_CACHE_HOME, or castle parts import FILE",
    details: { free, wanted },
  });
}

/** Others use the disk too: compiled packages can be made again, so they go first. */
async function dropIfShort(root: string, left: readonly Part[], go: GoToolchain): Promise<void> {
  if (left.length === 0 || (await freeBytes(root)) >= spaceFor(left)) return;
  await go.dropBuildCache();
  if ((await freeBytes(root)) < spaceFor(left)) await go.dropCaches();
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
