import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { TarEntry } from "../../image/tar-entry.ts";
import { tarStream } from "../../image/tar-stream.ts";
import { treeEntries } from "../../image/tree-entries.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { run } from "../../support/run.ts";
import { parsePartRecord, type PartRecord } from "./object-store.ts";
import type { PartSet } from "./part.ts";
import type { PartsStore } from "./store.ts";
import { withStoreLock } from "./store-lock.ts";

/** Milliseconds for the programs that pack and unpack one to two gigabytes. */
const DEADLINE = 600_000;

interface ExportOptions extends ArchiveOptions {
  readonly sets?: readonly PartSet[];
}

export interface ArchiveOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the wanted parts of the sets into one file: `.tar.gz` and `.tgz` by gzip, `.zst` by the program zstd, anything
 * else as plain tar. The file appears whole or not at all.
 * @throws CastleError parts/missing, parts/wrong-hash, command/missing (zstd)
 */
export async function exportParts(
  store: PartsStore,
  file: string,
  { signal, sets = ["machines"] }: ExportOptions = {},
): Promise<void> {
  const temporary = `${file}.part`;
  const source = Readable.from(tarStream(await archiveEntries(store, sets)), { objectMode: false });
  const sink = createWriteStream(temporary, { mode: 0o644 });
  const options = signal === undefined ? {} : { signal };
  try {
    if (/\.(gz|tgz)$/.test(file)) {
      await pipeline(source, createGzip({ level: 1 }), sink, options);
    } else if (file.endsWith(".zst")) {
      await packWithZstd(source, sink, options);
    } else {
      await pipeline(source, sink, options);
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function archiveEntries(store: PartsStore, sets: readonly PartSet[]): Promise<TarEntry[]> {
  const entries: TarEntry[] = [{ type: "directory", path: "castle-parts", mode: 0o755 }];
  const digests = new Set<string>();
  // Files that images share are stored once, as links from one object into another.
  const folders: { name: string; folder: string }[] = [];
  for (const name of store.wanted(sets)) {
    await store.resolve(name);
    const found = await store.objects.look(await store.key(name));
    if (found.state !== "whole") continue;
    const { record } = found;
    const content = Buffer.from(`${JSON.stringify(record)}\n`);
    entries.push({ type: "file", path: `castle-parts/${record.key}.json`, mode: 0o644, content });
    if (digests.has(record.digest)) continue;
    digests.add(record.digest);
    folders.push({ name: record.digest, folder: found.folder });
  }
  const inodes = new Map<string, string>();
  for (const { name, folder } of folders) {
    const prefix = `castle-parts/${name}`;
    entries.push({ type: "directory", path: prefix, mode: 0o755 });
    entries.push(...(await treeEntries(folder, prefix, inodes)));
  }
  return entries;
}

async function packWithZstd(source: Readable, sink: Writable, { signal }: ArchiveOptions): Promise<void> {
  const zstd = spawn("zstd", ["-q", "-T0", "-3", "-c"], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: DEADLINE,
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<void>((resolve, reject) => {
    zstd.once("error", (cause) => {
      const message = "zstd is not installed or not on PATH";
      reject(new CastleError("command/missing", { message, hint: "export to FILE.tar.gz instead", cause }));
    });
    zstd.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new CastleError("command/failed", { message: `zstd ended with exit code ${code}` }));
    });
  });
  const options = signal === undefined ? {} : { signal };
  await Promise.all([ended, pipeline(source, zstd.stdin, options), pipeline(zstd.stdout, sink, options)]);
}

/**
 * Takes the parts of an archive into the store, each after its hash was verified. Parts of other pins than
 * this castle's are left out.
 * @returns names of the parts taken in
 * @throws CastleError parts/archive-invalid; what was taken in before the fault stays
 */
export async function importParts(
  store: PartsStore,
  file: string,
  { signal }: ArchiveOptions = {},
): Promise<string[]> {
  return withStoreLock(store.objects.root, async () => {
    await store.objects.clearStaging();
    const staged = await store.objects.stage();
    try {
      await unpack(file, staged, signal);
      return await takeIn(store, file, join(staged, "castle-parts"));
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  });
}

async function unpack(file: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    // Older GNU tar does not find zstd by itself.
    const how = file.endsWith(".zst") ? ["--use-compress-program=zstd"] : [];
    await run("tar", ["-x", ...how, "--no-same-owner", "-p", "-f", file, "-C", folder], {
      timeout: DEADLINE,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    throw invalid(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

async function takeIn(store: PartsStore, file: string, folder: string): Promise<string[]> {
  const records = await readRecords(file, folder);
  const wanted = new Map<string, string>();
  for (const { name } of store.catalogue) wanted.set(await store.key(name), name);
  const taken: string[] = [];
  for (const record of records) {
    const name = wanted.get(record.key);
    if (name === undefined) continue;
    if ((await store.objects.look(record.key)).state !== "whole") {
      const { digest, ...part } = record;
      const found = await store.objects.put(join(folder, digest), part, digest).catch((cause: unknown) => {
        throw invalid(file, cause instanceof Error ? cause.message : String(cause), cause);
      });
      if (found.digest !== digest) throw invalid(file, `${name} has the hash ${found.digest}, not ${digest}`);
    }
    taken.push(name);
  }
  if (taken.length === 0) {
    throw invalid(file, "none of its parts has this castle's versions: export it with the same castle");
  }
  return taken;
}

async function readRecords(file: string, folder: string): Promise<PartRecord[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
    return await Promise.all(
      names.map(async (name) => parsePartRecord(await readFile(join(folder, name), "utf8"))),
    );
  } catch (cause) {
    throw invalid(file, "it does not hold castle's parts", cause);
  }
}

function invalid(file: string, why: string, cause?: unknown): CastleError {
  return new CastleError("parts/archive-invalid", {
    message: `${file} cannot be imported: ${why}`,
    hint: "make it again where the parts are: castle parts export FILE",
    ...(cause === undefined ? {} : { cause }),
  });
}
