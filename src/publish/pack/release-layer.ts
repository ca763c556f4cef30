import { createHash, randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { mediaTypes } from "../../image/descriptor.ts";
import type { Layer } from "../../image/layer.ts";
import type { TarEntry } from "../../image/tar-entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../image/tar-header.ts";
import { type Gzip, gzipStored } from "./gzip.ts";

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
/** Bytes that may wait for other cores to pack them. */
const AHEAD = 16 * 1024 * 1024;

/**
 * Writes a layer blob named by its digest. The blob is a row of gzip members, as the format allows and the lazy pullers
 * of images rely on: a page is packed once, and the same bytes are its compressed copy for nginx and its part of the layer.
 */
export async function writeReleaseLayer(
  blobs: string,
  entries: AsyncIterable<LayerEntry> | Iterable<LayerEntry>,
  gzip: Gzip,
): Promise<Layer> {
  const temporary = join(blobs, `.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", 0o644);
  try {
    const writer = new MemberWriter(gzip, (bytes) => file.write(bytes));
    for await (const { entry, content, packed, incompressible } of entries) {
      writer.small(tarHeader(entry));
      if (content === undefined) continue;
      if (packed !== undefined) writer.member(content, packed);
      else if (incompressible === true) writer.member(content, gzipStored(content));
      else writer.small(content);
      writer.small(tarPadding(content.byteLength));
      await writer.advance();
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

interface Member {
  readonly weight: number;
  readonly packed: Uint8Array | Promise<Uint8Array>;
}

class MemberWriter {
  readonly #gzip: Gzip;
  readonly #write: (bytes: Uint8Array) => Promise<unknown>;
  readonly #plain = createHash("sha256");
  readonly #packed = createHash("sha256");
  #size = 0;
  #waiting: Uint8Array[] = [];
  #weight = 0;
  readonly #members: Member[] = [];
  #ahead = 0;
  #unwritten: Uint8Array[] = [];
  #unwrittenSize = 0;

  constructor(gzip: Gzip, write: (bytes: Uint8Array) => Promise<unknown>) {
    this.#gzip = gzip;
    this.#write = write;
  }

  /** Bytes that go into the next member together with their neighbours. */
  small(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#weight += bytes.byteLength;
  }

  member(content: Uint8Array, packed: Uint8Array): void {
    this.#flush();
    this.#add(content, packed);
  }

  /** Between two entries. */
  async advance(): Promise<void> {
    if (this.#weight >= MEMBER) this.#flush();
    await this.#settle(AHEAD);
  }

  /** After it nothing is left in memory. */
  async end(): Promise<void> {
    this.#flush();
    await this.#settle(0);
    await this.#drain();
  }

  result(): { digest: string; diffId: string; size: number } {
    return {
      digest: `sha256:${this.#packed.digest("hex")}`,
      diffId: `sha256:${this.#plain.digest("hex")}`,
      size: this.#size,
    };
  }

  #flush(): void {
    if (this.#weight === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#weight = 0;
    this.#add(bytes, this.#gzip(bytes));
  }

  #add(content: Uint8Array, packed: Member["packed"]): void {
    this.#plain.update(content);
    this.#members.push({ weight: content.byteLength, packed });
    this.#ahead += content.byteLength;
  }

  /** Writes the eldest members until what still waits weighs no more than this. */
  async #settle(ahead: number): Promise<void> {
    while (this.#ahead > ahead) {
      const member = this.#members.shift();
      if (member === undefined) return;
      this.#ahead -= member.weight;
      const packed = member.packed instanceof Uint8Array ? member.packed : await member.packed;
      this.#packed.update(packed);
      this.#size += packed.byteLength;
      this.#unwritten.push(packed);
      this.#unwrittenSize += packed.byteLength;
      if (this.#unwrittenSize >= WRITE) await this.#drain();
    }
  }

  async #drain(): Promise<void> {
    const bytes = Buffer.concat(this.#unwritten);
    this.#unwritten = [];
    this.#unwrittenSize = 0;
    await this.#write(bytes);
  }
}
