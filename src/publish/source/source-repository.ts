import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import type { GitCredentials } from "../../gitops/credentials.ts";
import { Git, type GitCall } from "../../gitops/git.ts";

export interface SourceAccess {
  /** A work tree, or a folder in one. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined: the user's own Git settings know. */
  readonly credentials?: GitCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The repository that a site lies in. Nothing of it is changed. */
export interface SourceRepository {
  /** The work tree's root. */
  readonly root: string;
  /** The site's folder in it, with a slash at the end; empty: the site is the root. */
  readonly prefix: string;
  /** Where HEAD lies: of this work tree alone. */
  readonly gitFolder: string;
  /** Where objects lie: shared by all work trees. */
  readonly commonFolder: string;
  /** Git on this repository; calls that look at files need `workTree` as their environment. */
  readonly git: Git;
  readonly workTree: Readonly<Record<string, string>>;
}

/**
 * Finds the repository as Git does, without asking it: GIT_DIR of a hook that castle runs in must not mislead.
 * @throws CastleError source/not-a-repository
 */
export async function openSource(access: SourceAccess): Promise<SourceRepository> {
  const folder = resolve(access.folder);
  for (let root = folder; ; root = dirname(root)) {
    const gitFolder = await gitFolderOf(root);
    if (gitFolder !== undefined) {
      const prefix = relative(root, folder);
      return {
        root,
        prefix: prefix === "" ? "" : `${prefix}/`,
        gitFolder,
        commonFolder: await commonFolderOf(gitFolder),
        git: new Git({ ...access, folder: gitFolder }),
        // Looking must not even refresh the index: somebody may be at work there.
        workTree: { GIT_WORK_TREE: root, GIT_OPTIONAL_LOCKS: "0" },
      };
    }
    if (root === dirname(root)) {
      throw new CastleError("source/not-a-repository", {
        message: `${folder} is not in the work tree of a Git repository; nothing was built or pushed`,
        hint: `set the site's source to its work tree, or: git -C ${folder} init`,
      });
    }
  }
}

/** `.git` is a folder, or in submodules and further work trees a file that names one. */
async function gitFolderOf(root: string): Promise<string | undefined> {
  const path = join(root, ".git");
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return path;
  if (found?.isFile() !== true) return undefined;
  const { target } = /^gitdir: (?<target>.+?)\s*$/.exec(await readFile(path, "utf8"))?.groups ?? {};
  if (target === undefined) return undefined;
  return isAbsolute(target) ? target : join(root, target);
}

async function commonFolderOf(gitFolder: string): Promise<string> {
  const text = await readFile(join(gitFolder, "commondir"), "utf8").catch(() => ".");
  return resolve(gitFolder, text.trim());
}

/** What Git says on the repository. @throws CastleError source/failed */
export async function ask(
  { git, root }: SourceRepository,
  args: readonly string[],
  call: GitCall = {},
): Promise<Buffer> {
  const { exitCode, stdout, stderr } = await git.call(args, call);
  if (exitCode === 0) return stdout;
  throw new CastleError("source/failed", {
    message: `git ${args[0]} failed in ${root}: ${stderr.trim() || "it said nothing"}; nothing was built or pushed`,
    hint: `git -C ${root} fsck`,
    details: { exitCode },
  });
}
