import { ask, type SourceRepository } from "./source-repository.ts";

/** One entry of a commit, below the site's folder. */
export interface CommitEntry {
  /** From the site's folder. */
  readonly path: string;
  /** Git's six digits: 100644, 100755 executable, 120000 link, 160000 submodule. */
  readonly mode: string;
  readonly id: string;
  /** Bytes; 0 for submodules. */
  readonly size: number;
}

export const SUBMODULE = "160000";
export const LINK = "120000";

/** All files of a commit. @param prefix the site's folder in it */
export async function commitEntries(
  repository: SourceRepository,
  commit: string,
  prefix: string,
): Promise<CommitEntry[]> {
  const tree = prefix === "" ? commit : `${commit}:${prefix.replace(/\/$/, "")}`;
  const said = await ask(repository, ["ls-tree", "-r", "-z", "-l", "--full-tree", tree]);
  return said
    .toString("utf8")
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", , id = "", size = "0"] = line.slice(0, tab).split(/ +/);
      return { path: line.slice(tab + 1), mode, id, size: size === "-" ? 0 : Number(size) };
    });
}

/** As much as is asked of Git at once. */
const BATCH = 64 * 1024 * 1024;

/** Contents of entries, in their order and a batch at a time: a site's pictures need not fit into memory. */
export async function* commitContents(
  repository: SourceRepository,
  entries: readonly CommitEntry[],
): AsyncGenerator<readonly [CommitEntry, Buffer]> {
  let batch: CommitEntry[] = [];
  let size = 0;
  for (const entry of entries) {
    batch.push(entry);
    size += entry.size;
    if (size < BATCH) continue;
    yield* contentsOf(repository, batch);
    batch = [];
    size = 0;
  }
  yield* contentsOf(repository, batch);
}

/** `git cat-file --batch` says for each: "ID TYPE SIZE", a line feed, the content, a line feed. */
async function* contentsOf(
  repository: SourceRepository,
  entries: readonly CommitEntry[],
): AsyncGenerator<readonly [CommitEntry, Buffer]> {
  if (entries.length === 0) return;
  const input = entries.map(({ id }) => `${id}\n`).join("");
  const output = await ask(repository, ["cat-file", "--batch"], { input, timeout: 120_000 });
  let at = 0;
  for (const entry of entries) {
    const start = output.indexOf(0x0a, at) + 1;
    yield [entry, output.subarray(start, start + entry.size)];
    at = start + entry.size + 1;
  }
}
