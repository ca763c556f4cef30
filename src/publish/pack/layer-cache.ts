import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { mediaTypes } from "../../image/descriptor.ts";
import type { Layer } from "../../image/layer.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import { parsedJson } from "../../support/json.ts";
import { sha256 } from "../../support/sha256.ts";

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const record = z.object({ digest, diffId: digest, size: z.number().int().nonnegative() });

export interface CachedLayer {
  readonly layer: Layer;
  readonly reused: boolean;
}

/** Days after which a layer that no release used is dropped. */
const KEPT = 30;

/** Layers of earlier releases by what they were made of. May be lost at any time; a damaged one is made again. */
export class LayerCache {
  readonly #folder: string;
  readonly #blobs: string;

  constructor(folder: string) {
    this.#folder = join(folder, "layers");
    this.#blobs = join(this.#folder, "blobs");
  }

  /**
   * @param content all that the layer's bytes follow from
   * @param make writes it into a folder of blobs, under the name of its digest
   */
  async layer(content: object, make: (blobs: string) => Promise<Layer>): Promise<CachedLayer> {
    await mkdir(this.#blobs, { recursive: true });
    const key = sha256(JSON.stringify(content));
    const path = join(this.#folder, `${key}.json`);
    const kept = await this.#read(path);
    if (kept !== undefined) {
      const now = new Date();
      await Promise.all([utimes(path, now, now), utimes(kept.file, now, now)]).catch(() => undefined);
      return { layer: kept, reused: true };
    }
    const layer = await make(this.#blobs);
    const { diffId, descriptor } = layer;
    const text = JSON.stringify({ digest: descriptor.digest, diffId, size: descriptor.size });
    await writeFileAtomic(path, text);
    return { layer, reused: false };
  }

  /** Drops what was not used for a month. */
  async trim(now: Date): Promise<void> {
    for (const folder of [this.#folder, this.#blobs]) {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        const found = await stat(path).catch(() => undefined);
        if (found?.isFile() !== true) continue;
        if (now.getTime() - found.mtimeMs > KEPT * 86_400_000) await rm(path, { force: true });
      }
    }
  }

  async #read(path: string): Promise<Layer | undefined> {
    const text = await readFile(path, "utf8").catch(() => "{}");
    const { success, data } = record.safeParse(parsedJson(text));
    if (!success) return undefined;
    const file = join(this.#blobs, data.digest.slice("sha256:".length));
    if ((await digestOf(file)) !== data.digest) return undefined;
    const { digest, diffId, size } = data;
    return { descriptor: { mediaType: mediaTypes.gzipLayer, digest, size }, diffId, file };
  }
}

async function digestOf(file: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  } catch {
    return undefined;
  }
  return `sha256:${hash.digest("hex")}`;
}
