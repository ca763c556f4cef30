/** One file, link or submodule in a Git tree. */
export interface TreeEntry {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  /** Git's six digits: 100644 a file, 100755 an executable one, 120000 a link, 160000 a submodule. */
  readonly mode: string;
  /** Git's id of the content. */
  readonly id: string;
}

/** Whether it is executable makes no difference to castle; a link or a submodule does. */
export function isFile({ mode }: TreeEntry): boolean {
  return mode === "100644" || mode === "100755";
}

/** Reads what `git ls-tree -r -z` says: "MODE TYPE ID\tPATH\0". */
export function parseTree(output: Buffer): readonly TreeEntry[] {
  return output
    .toString("utf8")
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", , id = ""] = line.slice(0, tab).split(" ");
      return { path: line.slice(tab + 1), mode, id };
    });
}
