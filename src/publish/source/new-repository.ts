import { randomBytes } from "node:crypto";
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CastleError } from "../../errors/castle-error.ts";
import type { RemoteName } from "../../gitops/failure.ts";
import { remoteFailure } from "../../gitops/failure.ts";
import { Git } from "../../gitops/git.ts";
import { exists } from "../../support/exists.ts";
import type { Secret } from "../../support/secret.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import { CASTLE, authorEnvironment } from "../../gitops/author.ts";

export interface NewRepository {
  /** Where its work tree lies, or shall lie. */
  readonly folder: string;
  /** What its first commit holds. */
  readonly from: string;
  readonly remote: { readonly url: string; readonly username: string; readonly password: Secret };
  /** Adds to the first commit what the folder lacks. */
  readonly complete: (workTree: string) => Promise<void>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface RepositoryPlace {
  readonly commit: string;
  /** False: the work tree was there already, and was left as it is. */
  readonly made: boolean;
  /** False: the server has the branch already. */
  readonly pushed: boolean;
}

const BRANCH = "main";
/** In the repository's own folder, where no commit reaches it. */
const LOGIN_FILE = "castle-login";

/**
 * Makes a folder a repository of its own, with a work tree and a server that it is pushed to. What is there is left
 * alone: only the server's address and login are brought up to date, and a server that has lost the branch gets it again.
 * @throws CastleError source/not-a-repository, gitops/…
 */
export async function ensureRepository(options: NewRepository): Promise<RepositoryPlace> {
  const { folder, remote } = options;
  const made = !(await exists(join(folder, ".git")));
  if (made) await make(options);
  const git = gitOf(options, folder);
  await follow(git, options);
  const name: RemoteName = { url: remote.url, branch: BRANCH };
  const ref = `refs/heads/${BRANCH}`;
  const listed = await git.call(["ls-remote", "--heads", "--", "origin", ref], { remote: true });
  if (listed.exitCode !== 0) throw remoteFailure(name, listed);
  const pushed = listed.stdout.length === 0;
  if (pushed) {
    const answer = await git.call(["push", "--quiet", "--no-verify", "--", "origin", `HEAD:${ref}`], {
      remote: true,
    });
    if (answer.exitCode !== 0) throw remoteFailure(name, answer);
  }
  return { commit: await git.text(["rev-parse", "HEAD"]), made, pushed };
}

function gitOf({ remote, environment, signal }: NewRepository, folder: string): Git {
  const { username, password } = remote;
  return new Git({
    folder: join(folder, ".git"),
    environment,
    signal,
    credentials: { kind: "password", username, password },
  });
}

/** Made beside and moved into place: after a kill there is a repository with its commit, or none. */
async function make(options: NewRepository): Promise<void> {
  const { folder, from, complete } = options;
  const there = await readdir(folder).catch((): string[] => []);
  if (there.length > 0) {
    throw new CastleError("source/not-a-repository", {
      message: `${folder} is there and is no repository: nothing was written over`,
      hint: `git init ${folder}, or name another folder as the site's source`,
    });
  }
  const draft = `${folder}.${randomBytes(6).toString("hex")}`;
  const own = join(from, ".git");
  try {
    await mkdir(dirname(folder), { recursive: true });
    await cp(from, draft, { recursive: true, filter: (path) => path !== own });
    await complete(draft);
    const git = gitOf(options, draft);
    const env = {
      GIT_WORK_TREE: draft,
      ...authorEnvironment(CASTLE),
    };
    await git.bytes(["init", "--quiet", "--template=", `--initial-branch=${BRANCH}`], { env });
    await git.bytes(["add", "--all", "."], { env });
    const message = `${basename(folder)}: as ${basename(from)} was\n`;
    await git.bytes(["commit", "--quiet", "--no-verify", "-F", "-"], { env, input: message });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The work tree's own Git pushes and fetches with the server's login, which lies in a file that only its owner reads. */
async function follow(git: Git, { folder, remote }: NewRepository): Promise<void> {
  const file = join(folder, ".git", LOGIN_FILE);
  const { url, username, password } = remote;
  await writeFileAtomic(
    file,
    `${url.replace(/^(https?:\/\/)([^/]*).*$/, `$1${username}:${password.reveal()}@$2`)}\n`,
  );
  const settings = [
    ["remote.origin.url", url],
    ["remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"],
    [`branch.${BRANCH}.remote`, "origin"],
    [`branch.${BRANCH}.merge`, `refs/heads/${BRANCH}`],
    // Nobody else's helpers are asked, nor told.
    ["credential.helper", ""],
  ];
  for (const [key = "", value = ""] of settings) await git.bytes(["config", "--replace-all", key, value]);
  const helper = `store --file='${file.replaceAll("'", String.raw`'\''`)}'`;
  await git.bytes(["config", "--add", "credential.helper", helper]);
}
