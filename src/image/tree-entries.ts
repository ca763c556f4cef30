import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import type { TarEntry } from "./tar-entry.ts";

/**
 * The entries of a folder's tree, sorted by path (byte order), parents first; the folder itself is left out.
 * Hard links stay links, between folders as well where they are given the same `inodes`. Owners and times
 * are not kept.
 * @throws CastleError image/unsupported-file for devices, sockets and pipes
 */
export async function treeEntries(
  folder: string,
  prefix = "",
  inodes = new Map<string, string>(),
): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  await walk({ folder, prefix, entries, inodes });
  return entries;
}

interface Walk {
  readonly folder: string;
  readonly prefix: string;
  readonly entries: TarEntry[];
  /** First path of every inode with more than one name. */
  readonly inodes: Map<string, string>;
}

async function walk({ folder, prefix, entries, inodes }: Walk): Promise<void> {
  const names = (await readdir(folder)).sort(byBytes);
  for (const name of names) {
    const file = join(folder, name);
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const stat = await lstat(file);
    const mode = stat.mode & 0o7777;
    if (stat.isDirectory()) {
      entries.push({ type: "directory", path, mode });
      await walk({ folder: file, prefix: path, entries, inodes });
    } else if (stat.isSymbolicLink()) {
      entries.push({ type: "symlink", path, target: await readlink(file) });
    } else if (stat.isFile()) {
      const inode = `${stat.dev}:${stat.ino}`;
      const first = stat.nlink > 1 ? inodes.get(inode) : undefined;
      if (first !== undefined) {
        entries.push({ type: "hardlink", path, target: first });
      } else {
        if (stat.nlink > 1) inodes.set(inode, path);
        entries.push({ type: "file", path, mode, content: { file, size: stat.size } });
      }
    } else {
      throw new CastleError("image/unsupported-file", {
        message: `${file} is neither a file, a folder nor a link and cannot go into an archive`,
      });
    }
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
