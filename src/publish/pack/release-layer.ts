import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { mediaTypes } from "../../image/descriptor.ts";
import type { Layer } from "../../image/layer.ts";
import type { TarEntry } from "../../image/tar-entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../image/tar-header.ts";
import { gzip, gzipStored } from "./gzip.ts";

/** An entry of a layer, its content at hand when its turn comes. */
export interface LayerEntry {
  /** Of a file: its content is `content`. */
  readonly entry: TarEntry;
  readonly content?: Uint8Array;
  /** The content as a gzip stream of its own, where there is one already. */
  readonly packed?: Uint8Array;
  /** Pictures and the like: packing them again gains nothing. */
  readonly incompressible?: boolean;
}

/** Small pieces are packed together until they weigh this much. */
const MEMBER = 256 * 1024;
/** As much is written at once: between two writes others get their turn. */
const WRITE = 1024 * 1024;

/**
 * Writes a layer blob named by its digest. The blob is a row of gzip members, as the format allows and the lazy pullers
 * of images rely on: a page is packed once, and the same bytes are its compressed copy for nginx and its part of the layer.
 */
export async function writeReleaseLayer(
  blobs: string,
  entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>,
): Promise<Layer> {
  const temporary = join(blobs, `.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", 0o644);
  try {
    const writer = new MemberWriter((bytes) => file.write(bytes));
    for await (const { entry, content, packed, incompressible } of entries) {
      writer.small(tarHeader(entry));
      if (content === undefined) continue;
      if (packed !== undefined) await writer.member(content, packed);
      else if (incompressible === true) await writer.member(content, gzipStored(content));
      else writer.small(content);
      writer.small(tarPadding(content.byteLength));
      await writer.flushIfFull();
    }
    writer.small(tarEnd());
    await writer.end();
    await file.close();
    const { digest, diffId, size } = writer.result();
    const path = join(blobs, digest.slice("sha256:".length));
    await rename(temporary, path);
    return { descriptor: { mediaType: mediaTypes.gzipLayer, digest, size }, diffId, file: path };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

class MemberWriter {
  readonly #write: (bytes: Uint8Array) => Promise<unknown>;
  readonly #plain = createHash("sha256");
  readonly #packed = createHash("sha256");
  #size = 0;
  #waiting: Uint8Array[] = [];
  #weight = 0;
  #unwritten: Uint8Array[] = [];
  #unwrittenSize = 0;

  constructor(write: (bytes: Uint8Array) => Promise<unknown>) {
    this.#write = write;
  }

  /** Bytes that go into the next member together with their neighbours. */
  small(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#weight += bytes.byteLength;
  }

  async member(content: Uint8Array, packed: Uint8Array): Promise<void> {
    await this.flush();
    this.#plain.update(content);
    await this.#put(packed);
  }

  async flushIfFull(): Promise<void> {
    if (this.#weight >= MEMBER) await this.flush();
  }

  /** After it nothing is left in memory. */
  async end(): Promise<void> {
    await this.flush();
    await this.#drain();
  }

  async flush(): Promise<void> {
    if (this.#weight === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#weight = 0;
    this.#plain.update(bytes);
    await this.#put(gzip(bytes));
  }

  result(): { digest: string; diffId: string; size: number } {
    return {
      digest: `sha256:${this.#packed.digest("hex")}`,
      diffId: `sha256:${this.#plain.digest("hex")}`,
      size: this.#size,
    };
  }

  async #put(packed: Uint8Array): Promise<void> {
    this.#packed.update(packed);
    this.#size += packed.byteLength;
    this.#unwritten.push(packed);
    this.#unwrittenSize += packed.byteLength;
    if (this.#unwrittenSize >= WRITE) await this.#drain();
  }

  async #drain(): Promise<void> {
    const bytes = Buffer.concat(this.#unwritten);
    this.#unwritten = [];
    this.#unwrittenSize = 0;
    await this.#write(bytes);
  }
}
