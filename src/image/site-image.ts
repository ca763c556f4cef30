import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Descriptor } from "./descriptor.ts";
import { type ImageRuntime, writeImageLayout } from "./image-layout.ts";
import type { Layer } from "./layer.ts";
import { writeLayer } from "./layer-writer.ts";
import { blobFile, readLayoutImage } from "./layout-image.ts";
import type { TarEntry } from "./tar-entry.ts";
import { treeEntries } from "./tree-entries.ts";

/** Where the base's nginx looks. */
const SITE = "srv/site";
const RELEASE = "srv/release";

export interface SiteImageOptions {
  /** OCI layout of the part `nginx-base`. */
  readonly base: string;
  /** Folder of the finished pages. */
  readonly pages: string;
  /** What `/healthz` answers: the release's name. */
  readonly release: string;
  /** Folder of the layout to write. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts a folder of pages on the base as one more layer and writes the image's OCI layout. The same base, pages
 * and release give the same digest on every machine.
 * @returns the descriptor of the manifest
 * @throws CastleError image/layout-broken (the base), image/unsupported-file (a device or socket in the pages)
 */
export async function writeSiteImage(options: SiteImageOptions): Promise<Descriptor> {
  const { base, pages, release, folder, signal } = options;
  const { layers, runtime } = await readBase(base);
  const site = await writeLayer(await siteEntries(pages, release), {
    blobs: join(folder, "blobs", "sha256"),
    compression: "none",
    signal,
  });
  return writeImageLayout(folder, [...layers, site], runtime);
}

async function siteEntries(pages: string, release: string): Promise<TarEntry[]> {
  const entries: TarEntry[] = [{ type: "directory", path: "srv", mode: 0o755 }];
  const content = Buffer.from(`${release}\n`);
  entries.push({ type: "file", path: RELEASE, mode: 0o644, content });
  entries.push({ type: "directory", path: SITE, mode: 0o755 });
  for (const entry of await treeEntries(pages, SITE)) {
    if (entry.type === "directory") entries.push({ ...entry, mode: 0o755 });
    else if (entry.type !== "file") entries.push(entry);
    else entries.push({ ...entry, mode: 0o644, modified: await contentTime(entry.content) });
  }
  return entries;
}

/** Seconds from which content-made times count, and how many there are: 2001 to 2017. */
const FIRST = 1_000_000_000;
const SPAN = 2 ** 29;

/**
 * A time made from the content. nginx makes its ETag from time and size: with one time for all files an edit
 * that keeps the size would be answered "not modified".
 */
async function contentTime(content: Extract<TarEntry, { type: "file" }>["content"]): Promise<number> {
  const hash = createHash("sha256");
  if (content instanceof Uint8Array) hash.update(content);
  else await pipeline(createReadStream(content.file), hash);
  return FIRST + (hash.digest().readUInt32BE() % SPAN);
}

const baseConfig = z.object({
  architecture: z.enum(["amd64", "arm64"]),
  config: z.object({
    User: z.string().optional(),
    Entrypoint: z.array(z.string()),
    StopSignal: z.string().optional(),
  }),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
});

async function readBase(folder: string): Promise<{ layers: Layer[]; runtime: ImageRuntime }> {
  const image = await readLayoutImage(folder);
  const text = await readFile(blobFile(folder, image.config.digest), "utf8");
  const { architecture, config, rootfs } = baseConfig.parse(JSON.parse(text));
  const layers = image.layers.map((descriptor, index) => ({
    descriptor,
    diffId: rootfs.diff_ids[index] ?? descriptor.digest,
    file: blobFile(folder, descriptor.digest),
  }));
  const runtime = {
    architecture,
    entrypoint: config.Entrypoint,
    ...(config.User === undefined ? {} : { user: config.User }),
    ...(config.StopSignal === undefined ? {} : { stopSignal: config.StopSignal }),
  };
  return { layers, runtime };
}
