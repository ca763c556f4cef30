import { createHash } from "node:crypto";

/** Git's id of a file with this content, so that a tree is compared without reading the files. */
export function blobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}
