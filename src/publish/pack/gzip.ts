import { gzipSync } from "fflate";

/** Bytes that follow from the content alone: Node's zlib differs from version to version (nodejs/node#48690). */
export function gzip(content: Uint8Array): Uint8Array {
  return gzipSync(content, { level: 6, mtime: 0 });
}

/** A gzip stream around content that is packed already. */
export function gzipStored(content: Uint8Array): Uint8Array {
  return gzipSync(content, { level: 0, mtime: 0 });
}
