import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { isDiskFull } from "../../support/disk-full.ts";
import { BuildProgress } from "./build-progress.ts";
import { isFull, makeRoom, requireRoom } from "./build-space.ts";
import { GoCaches } from "./go-caches.ts";
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
  /** Keeps the Go caches for the next build (12 GiB), even where space is short. */
  readonly keepCaches?: boolean;
  /** Folder of the Go caches; inside the store unless told. */
  readonly caches?: string;
  readonly signal?: AbortSignal | undefined;
}

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
  const { modules } = store;
  const { signal, keepCaches = false } = options;
  await requireTools(await buildTools(parts, modules), options.installTools === true);
  await store.objects.clearStaging();
  const caches = new GoCaches(options.caches ?? join(root, "go"));
  await caches.clearTemporary();
  const site = { root, modules, caches, keepCaches };
  await requireRoom(parts, site);
  const go = new GoToolchain({ modules, caches, signal });
  const workshop = { store, go, downloads: join(root, "downloads"), signal };
  const progress = new BuildProgress(parts, options.report);
  try {
    for (const [index, part] of parts.entries()) {
      signal?.throwIfAborted();
      await progress.during(part, () => makeAndStore(part, workshop));
      await makeRoom(parts.slice(index + 1), site);
    }
  } catch (error) {
    // What filled the disk is mostly castle's own; a build that goes on later has to find room.
    if (isDiskFull(error) && !keepCaches) await caches.drop();
    throw error;
  } finally {
    await rm(workshop.downloads, { recursive: true, force: true });
  }
  if (!keepCaches) await caches.drop();
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
    const full = isDiskFull(error) || (await isFull(objects.root));
    await rm(staged, { recursive: true, force: true });
    if (error instanceof CastleError && error.code === "command/interrupted") throw error;
    if (workshop.signal?.aborted === true) throw error;
    throw full ? diskFull(part, objects.root, error) : buildFailed(part, error);
  }
}

function diskFull({ name, version }: Part, root: string, cause: unknown): CastleError {
  return new CastleError("parts/disk-full", {
    message: `${name} ${version} could not be built, because the disk of ${root} is full: ${said(cause)}`,
    hint: "free some disk, then castle parts build goes on with what is left",
    cause,
  });
}

function buildFailed({ name, version }: Part, cause: unknown): CastleError {
  return new CastleError("parts/build-failed", {
    message: `${name} ${version} could not be built: ${said(cause)}`,
    hint: "castle parts build goes on with what is left",
    cause,
  });
}

function said(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
