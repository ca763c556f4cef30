import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { tarStream } from "../../image/tar-stream.ts";
import { treeEntries } from "../../image/tree-entries.ts";

/** The hash of a tree's paths, modes, links and contents: that of its deterministic tar. */
export async function treeDigest(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of tarStream(await treeEntries(folder))) hash.update(chunk);
  return hash.digest("hex");
}

/** What changes when a file of a tree is written to: cheap to look at, and told apart from content. */
export async function treeStamp(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of await treeEntries(folder)) {
    hash.update(`${entry.type}\0${entry.path}\0`);
    if (entry.type === "symlink" || entry.type === "hardlink") hash.update(entry.target);
    if (entry.type !== "file") continue;
    const { size, mtimeMs, mode } = await lstat(join(folder, entry.path));
    hash.update(`${size}\0${mtimeMs}\0${mode}\0`);
  }
  return hash.digest("hex");
}
