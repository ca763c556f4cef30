/** One commit of the branch, as far as some files go. */
export interface PastCommit {
  readonly commit: string;
  /** ISO 8601, the committer's. */
  readonly at: string;
  readonly message: string;
  /** Lines that it added to those files, without the plus. */
  readonly added: readonly string[];
}

/** `git log` with a record for each commit, its fields, then its patch: what `parsePast` reads. */
export const PAST_LOG = [
  "log",
  "--format=%x1e%H%x1f%cI%x1f%B%x1f",
  "--no-renames",
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "-p",
  "-U0",
  "-m",
  "--first-parent",
];

export function parsePast(said: string): readonly PastCommit[] {
  return said
    .split("\x1e")
    .filter((record) => record !== "")
    .map((record) => {
      const [commit = "", at = "", message = "", patch = ""] = record.split("\x1f");
      const added = patch.split("\n").filter((line) => line.startsWith("+") && !line.startsWith("+++ "));
      return { commit, at, message, added: added.map((line) => line.slice(1).replace(/\r$/, "")) };
    });
}

/** The value of a trailer, such as `Castle-Digest: …`. */
export function trailer({ message }: Pick<PastCommit, "message">, name: string): string | undefined {
  return new RegExp(`^${name}: (.+)$`, "m").exec(message)?.[1]?.trim();
}
