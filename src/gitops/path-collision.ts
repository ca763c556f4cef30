import { CastleError } from "../errors/castle-error.ts";
import type { RemoteName } from "./failure.ts";
import type { FileChanges } from "./repository.ts";
import type { TreeEntry } from "./tree-entry.ts";

/** Git would replace a file by a folder of its name, and the other way round, without a word. */
export function refuseCollisions(
  remote: RemoteName,
  existing: readonly TreeEntry[],
  files: FileChanges,
): void {
  const removed = new Set([...files].flatMap(([path, content]) => (content === undefined ? [path] : [])));
  const kept = existing.filter(({ path }) => !removed.has(path)).map(({ path }) => path);
  const there = new Set(kept);
  const folders = new Set(kept.flatMap(foldersOf));
  for (const [path, content] of files) {
    if (content === undefined) continue;
    const blocker = folders.has(path) ? path : foldersOf(path).find((folder) => there.has(folder));
    if (blocker === undefined) continue;
    throw new CastleError("gitops/path-taken", {
      message: `castle has to write ${path} in ${remote.url} (branch ${remote.branch}), but ${blocker} is ${folders.has(path) ? "a folder" : "not a folder"} there`,
      hint: `move ${blocker} away in the repository, or set gitops.path to another folder`,
      details: { remote: remote.url, branch: remote.branch, path: blocker },
    });
  }
}

/** a/b/c → a, a/b */
function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
