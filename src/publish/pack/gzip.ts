import { gzipSync } from "fflate";

/** A time of 1970, and fflate's own middle way between fast and small: every digit of a digest hangs on both. */
export const GZIP = { level: 6, mtime: 0 } as const;

/** Bytes that follow from the content alone: Node's zlib differs from version to version (nodejs/node#48690). */
export function gzip(content: Uint8Array): Uint8Array {
  return gzipSync(content, GZIP);
}

/** As `gzip`, here or on another core. */
export type Gzip = (content: Uint8Array) => Promise<Uint8Array>;

/** A gzip stream around content that is packed already. */
export function gzipStored(content: Uint8Array): Uint8Array {
  return gzipSync(content, { level: 0, mtime: 0 });
}
