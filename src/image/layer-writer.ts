import { createHash, type Hash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { mediaTypes } from "./descriptor.ts";
import type { Layer } from "./layer.ts";
import type { TarEntry } from "./tar-entry.ts";
import { tarStream } from "./tar-stream.ts";

export interface LayerOptions {
  /** Folder of the blobs (`…/blobs/sha256`); made if missing. */
  readonly blobs: string;
  /** Uncompressed layers cost more on the wire and much less where five machines unpack them. */
  readonly compression: "none" | "gzip";
  readonly signal?: AbortSignal | undefined;
}

/** Writes entries as a layer blob named by its digest; a blob that is there already is replaced by the same. */
export async function writeLayer(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  { blobs, compression, signal }: LayerOptions,
): Promise<Layer> {
  await mkdir(blobs, { recursive: true });
  const temporary = join(blobs, `.${randomBytes(6).toString("hex")}.tmp`);
  const plain = meter();
  const packed = meter();
  const source = Readable.from(tarStream(entries), { objectMode: false, highWaterMark: 1 << 20 });
  const sink = createWriteStream(temporary, { mode: 0o644 });
  const options = signal === undefined ? {} : { signal };
  try {
    if (compression === "gzip") {
      await pipeline(source, plain.through, createGzip({ level: 6 }), packed.through, sink, options);
    } else {
      await pipeline(source, packed.through, sink, options);
    }
    const digest = packed.digest();
    const file = join(blobs, digest.slice("sha256:".length));
    await rename(temporary, file);
    return {
      descriptor: {
        mediaType: compression === "gzip" ? mediaTypes.gzipLayer : mediaTypes.tarLayer,
        digest,
        size: packed.size(),
      },
      diffId: compression === "gzip" ? plain.digest() : digest,
      file,
    };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

interface Meter {
  readonly through: Transform;
  digest(): string;
  size(): number;
}

function meter(): Meter {
  const hash: Hash = createHash("sha256");
  let size = 0;
  return {
    through: new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.byteLength;
        done(null, chunk);
      },
    }),
    digest: () => `sha256:${hash.digest("hex")}`,
    size: () => size,
  };
}
