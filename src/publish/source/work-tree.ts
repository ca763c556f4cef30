import { join } from "node:path";
import { exists } from "../../support/exists.ts";
import { listed, type SourceFault } from "./source-fault.ts";
import { ask, type SourceRepository } from "./source-repository.ts";

const MEND = "git commit or git stash -u";

/** What the work tree has and the commit has not, below the site's folder. */
export async function workTreeFaults(repository: SourceRepository): Promise<SourceFault[]> {
  const { workTree, prefix } = repository;
  const args = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=none"];
  const said = await ask(repository, [...args, "--", prefix === "" ? "." : prefix], { env: workTree });
  const { changed, untracked } = parseStatus(said.toString("utf8"));
  return [
    ...(changed.length === 0
      ? []
      : [
          {
            code: "source/dirty" as const,
            message: `changes that no commit has: ${listed(changed)}`,
            hint: MEND,
            paths: changed,
          },
        ]),
    ...(untracked.length === 0
      ? []
      : [
          {
            code: "source/dirty" as const,
            message: `files that Git does not know: ${listed(untracked)}`,
            hint: `${MEND}, or name them in .gitignore`,
            paths: untracked,
          },
        ]),
  ];
}

/** "XY PATH\0", and for a rename the old path as a record of its own. */
export function parseStatus(text: string): { changed: string[]; untracked: string[] } {
  const changed: string[] = [];
  const untracked: string[] = [];
  const records = text.split("\0").values();
  for (const record of records) {
    if (record === "") continue;
    const state = record.slice(0, 2);
    (state === "??" ? untracked : changed).push(record.slice(3));
    if (/[RC]/.test(state)) records.next();
  }
  return { changed, untracked };
}

interface Operation {
  readonly mark: string;
  readonly name: string;
  readonly finish: string;
}

const OPERATIONS: readonly Operation[] = [
  { mark: "MERGE_HEAD", name: "a merge", finish: "git merge --continue or git merge --abort" },
  { mark: "rebase-merge", name: "a rebase", finish: "git rebase --continue or git rebase --abort" },
  { mark: "rebase-apply", name: "a rebase", finish: "git rebase --continue or git rebase --abort" },
  {
    mark: "CHERRY_PICK_HEAD",
    name: "a cherry-pick",
    finish: "git cherry-pick --continue or git cherry-pick --abort",
  },
  { mark: "REVERT_HEAD", name: "a revert", finish: "git revert --continue or git revert --abort" },
  { mark: "BISECT_LOG", name: "a bisection", finish: "git bisect reset" },
];

/** Operations of Git that somebody began and did not finish. */
export async function operationFaults({ gitFolder }: SourceRepository): Promise<SourceFault[]> {
  const found = await Promise.all(
    OPERATIONS.map(async (operation) => ((await exists(join(gitFolder, operation.mark))) ? [operation] : [])),
  );
  return found.flat().map(({ name, finish }) => ({
    code: "source/operation-under-way",
    message: `${name} is under way`,
    hint: finish,
  }));
}

/** Files whose edits Git was told not to see: harmless, since the commit is what is built. */
export async function blindSpots(repository: SourceRepository): Promise<string[]> {
  const { workTree, prefix } = repository;
  const args = ["ls-files", "-v", "-z", "--", prefix === "" ? "." : prefix];
  const said = await ask(repository, args, { env: workTree });
  const lines = said
    .toString("utf8")
    .split("\0")
    .filter((line) => /^(?:[a-z]|S) /.test(line));
  if (lines.length === 0) return [];
  const paths = lines.map((line) => line.slice(2));
  return [
    `Git was told not to look at edits of ${listed(paths)} (assume-unchanged, skip-worktree): the commit's content is published`,
  ];
}
