import { join } from "node:path";
import { Git } from "../../gitops/git.ts";
import { type CommitEntry, commitEntries, SUBMODULE } from "./commit-tree.ts";
import type { SourceFault } from "./source-fault.ts";
import { openSource, type SourceAccess, type SourceRepository } from "./source-repository.ts";
import { exists } from "../../support/exists.ts";

/** A repository's commit that lies at a path of the export: the site itself, or a submodule, a theme as a rule. */
export interface Piece {
  readonly repository: SourceRepository;
  readonly commit: string;
  /** Where it lies in the site, with a slash at the end; empty: the site itself. */
  readonly at: string;
  /** Without submodules, which are pieces of their own. */
  readonly entries: readonly CommitEntry[];
}

export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly faults: readonly SourceFault[];
}

/** The site's commit with all its submodules, found in the folders where Git keeps them. */
export async function piecesOf(
  repository: SourceRepository,
  commit: string,
  access: SourceAccess,
): Promise<Pieces> {
  return collect({ repository, commit, at: "" }, repository.prefix, access);
}

async function collect(
  { repository, commit, at }: Omit<Piece, "entries">,
  prefix: string,
  access: SourceAccess,
): Promise<Pieces> {
  const all = await commitEntries(repository, commit, prefix);
  const pieces: Piece[] = [{ repository, commit, at, entries: all.filter(({ mode }) => mode !== SUBMODULE) }];
  const faults: SourceFault[] = [];
  for (const { path, id } of all.filter(({ mode }) => mode === SUBMODULE)) {
    const place = `${at}${path}`;
    const submodule = await openSubmodule(repository, `${prefix}${path}`, access);
    const here =
      submodule === undefined ? undefined : await submodule.git.call(["cat-file", "-e", `${id}^{commit}`]);
    if (submodule === undefined || here?.exitCode !== 0) {
      faults.push({
        code: "source/submodule-missing",
        message: `the submodule ${place} is not there at commit ${id.slice(0, 12)}`,
        hint: "git submodule update --init --recursive",
        paths: [place],
      });
      continue;
    }
    const below = await collect({ repository: submodule, commit: id, at: `${place}/` }, "", access);
    pieces.push(...below.pieces);
    faults.push(...below.faults, ...(await unpushedFaults(submodule, id, place)));
  }
  return { pieces, faults };
}

async function openSubmodule(
  { root, commonFolder }: SourceRepository,
  path: string,
  access: SourceAccess,
): Promise<SourceRepository | undefined> {
  const folder = join(root, path);
  if (await exists(join(folder, ".git"))) return openSource({ ...access, folder });
  // Checked out nowhere, but fetched once.
  const kept = join(commonFolder, "modules", path);
  if (!(await exists(join(kept, "HEAD")))) return undefined;
  return {
    root: folder,
    prefix: "",
    gitFolder: kept,
    commonFolder: kept,
    git: new Git({ ...access, folder: kept }),
    workTree: {},
  };
}

/** What a submodule's remotes were last seen to have; a submodule without remotes is not judged. */
async function unpushedFaults(
  { git }: SourceRepository,
  commit: string,
  place: string,
): Promise<SourceFault[]> {
  const refs = async (...more: string[]) =>
    (await git.call(["for-each-ref", "--count=1", ...more, "refs/remotes", "refs/tags"])).stdout.length;
  if ((await refs()) === 0 || (await refs(`--contains=${commit}`)) > 0) return [];
  return [
    {
      code: "source/unpushed",
      message: `commit ${commit.slice(0, 12)} of the submodule ${place} is on none of its remotes`,
      hint: `git -C ${place} push`,
      paths: [place],
    },
  ];
}
