import { z } from "zod";
import { blobId } from "./blob-id.ts";

/** Lies in the generated folder and says what castle wrote there last: paths in the folder to Git's ids of the contents. */
export const RECORD = ".castle.json";

const recordShape = z.object({ files: z.record(z.string(), z.string()) });
export type FolderRecord = ReadonlyMap<string, string>;

/** Byte-stable: sorted, no time in it. */
export function renderRecord(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const ids = [...files].map(([path, content]) => [path, blobId(content)] as const);
  const content = {
    about: "castle wrote this folder and will write it again; put your changes into ../overrides",
    files: Object.fromEntries(ids.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  return Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`);
}

/** A record that is damaged says nothing: then all in the folder counts as somebody else's. */
export function parseRecord(text: string | undefined): FolderRecord {
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(recordShape.parse(JSON.parse(text)).files));
  } catch {
    return new Map();
  }
}
