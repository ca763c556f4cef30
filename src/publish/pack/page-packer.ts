import type { Gzip } from "./gzip.ts";
import { isCompressible, layerKind } from "./layer-kind.ts";

/** A file as it is, and as the gzip stream that it will be. */
export interface PackingText {
  readonly content: Uint8Array;
  readonly packed: Promise<Uint8Array>;
}

/** Bytes of pages that are packed before their turn; whatever is beyond is read again when it comes. */
const ROOM = 64 * 1024 * 1024;

/** Packs pages on other cores while the rest of the site is still looked through. */
export class PagePacker {
  readonly gzip: Gzip;
  readonly #early = new Map<string, PackingText>();
  #room = ROOM;

  constructor(gzip: Gzip) {
    this.gzip = gzip;
  }

  /** A file was read. One that keeps its bytes from release to release has most likely been packed for an earlier one. */
  begin(path: string, content: Uint8Array): void {
    const { byteLength } = content;
    if (layerKind(path) !== "html" || !isCompressible(path, byteLength) || byteLength > this.#room) return;
    this.#room -= byteLength;
    this.#early.set(path, this.#pack(content));
  }

  /** Forgets it. @param read reads it again where it did not begin early */
  take(path: string, read: () => Uint8Array): PackingText {
    const early = this.#early.get(path);
    if (early === undefined) return this.#pack(read());
    this.#early.delete(path);
    return early;
  }

  #pack(content: Uint8Array): PackingText {
    return { content, packed: this.gzip(content) };
  }
}
