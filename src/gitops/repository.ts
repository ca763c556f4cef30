import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { blobId } from "./blob-id.ts";
import { parseContents } from "./batch-contents.ts";
import { branchMissing, checkRemote, type RemoteName, remoteFailure } from "./failure.ts";
import { Git, type GitOptions } from "./git.ts";
import { type PastCommit, PAST_LOG, parsePast } from "./past-commit.ts";
import { refuseCollisions } from "./path-collision.ts";
import { type PushAnswer, pushAnswer } from "./push-answer.ts";
import { isFile, parseTree, type TreeEntry } from "./tree-entry.ts";
import { type Author, authorEnvironment } from "./author.ts";

export interface RepositoryOptions extends GitOptions {
  /** https://, http://, ssh://, user@host:path, file:// or a path; without a password. */
  readonly url: string;
  readonly branch: string;
  /** Who castle's commits are by. */
  readonly author: Author;
}

/** The last commit of the branch; `commit` undefined: the repository is empty. */
export interface Tip {
  readonly commit: string | undefined;
}

/** Whole paths in the repository to what shall lie there; undefined: nothing. */
export type FileChanges = ReadonlyMap<string, Uint8Array | undefined>;

export interface Change {
  readonly files: FileChanges;
  readonly message: string;
}

/** Milliseconds: for an answer at all, and for one that may carry a whole repository. */
const ANSWER_DEADLINE = 15_000;
const TRANSFER_DEADLINE = 300_000;

const TIP = "refs/castle/tip";

/** One branch of the manifests' repository, seen through a bare copy in a folder that may be lost at any time. */
export class Repository {
  readonly remote: RemoteName;
  readonly #options: RepositoryOptions;
  readonly #git: Git;

  private constructor(options: RepositoryOptions) {
    this.remote = { url: options.url, branch: options.branch };
    this.#options = options;
    this.#git = new Git(options);
  }

  /** Talks to nobody yet. @throws CastleError gitops/remote-invalid, gitops/failed, command/missing */
  static async open(options: RepositoryOptions): Promise<Repository> {
    checkRemote(options);
    const repository = new Repository(options);
    await repository.#sweep();
    await repository.#git.prepare().catch(async (error: unknown) => {
      if (!(error instanceof CastleError && error.code === "gitops/failed")) throw error;
      await repository.#startOver();
    });
    return repository;
  }

  /**
   * Brings the copy up to date.
   * @throws CastleError gitops/unreachable, gitops/untrusted, gitops/credentials, gitops/not-a-repository,
   * gitops/branch-missing, gitops/failed
   */
  async fetchTip(): Promise<Tip> {
    const known = await this.#knownTip();
    // A copy that has nothing needs all there is, whatever the remote's heads are; why it cannot be had, they tell.
    const fetched = known === undefined ? this.#fetch(ANSWER_DEADLINE).catch(() => undefined) : undefined;
    const commit = await fetched;
    if (commit !== undefined) return { commit };
    const heads = await this.#heads();
    const wanted = heads.get(`refs/heads/${this.remote.branch}`);
    if (wanted === undefined) {
      if (heads.size === 0) return { commit: undefined };
      throw branchMissing(this.remote, [...heads.keys()]);
    }
    if (known === wanted) return { commit: wanted };
    return { commit: await this.#fetch() };
  }

  /** All files of a tip, or those in one folder, sorted by path. */
  async entries({ commit }: Tip, folder?: string): Promise<readonly TreeEntry[]> {
    if (commit === undefined) return [];
    const args = ["ls-tree", "-r", "-z", "--full-tree", commit];
    return parseTree(await this.#git.bytes(folder === undefined ? args : [...args, "--", `${folder}/`]));
  }

  /** Contents by id; ids that the copy does not have are left out. */
  async contents(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    if (ids.length === 0) return new Map();
    return parseContents(
      await this.#git.bytes(["cat-file", "--batch"], { input: ids.map((id) => `${id}\n`).join("") }),
    );
  }

  /** A unified diff between two sets of files whose contents the copy has. */
  async diff(before: readonly TreeEntry[], after: readonly TreeEntry[]): Promise<string> {
    const [from, to] = [await this.#treeOf(undefined, before), await this.#treeOf(undefined, after)];
    return this.#git.text([
      "diff-tree",
      "-r",
      "-p",
      "--no-renames",
      "--no-ext-diff",
      "--no-textconv",
      from,
      to,
    ]);
  }

  /**
   * Makes a commit on the tip that changes these files and no others; undefined if they are so already. Nobody sees it
   * before it is pushed.
   * @throws CastleError gitops/path-taken, gitops/failed
   */
  async commit(tip: Tip, { files, message }: Change): Promise<string | undefined> {
    const existing = await this.entries(tip);
    refuseCollisions(this.remote, existing, files);
    const there = new Map(existing.map((entry) => [entry.path, entry]));
    const written: { path: string; content: Uint8Array }[] = [];
    const removed: TreeEntry[] = [];
    for (const [path, content] of files) {
      const entry = there.get(path);
      if (content !== undefined && !(entry !== undefined && isFile(entry) && entry.id === blobId(content))) {
        written.push({ path, content });
      }
      if (content === undefined && entry !== undefined) removed.push({ path, mode: "0", id: "0".repeat(40) });
    }
    if (written.length === 0 && removed.length === 0) return undefined;
    const ids = await this.#writeBlobs(written.map(({ content }) => content));
    const entries = written.map(({ path }, index) => ({
      path,
      mode: there.get(path)?.mode === "100755" ? "100755" : "100644",
      id: ids[index] ?? "",
    }));
    const tree = await this.#treeOf(tip.commit, [...removed, ...entries]);
    const parents = tip.commit === undefined ? [] : ["-p", tip.commit];
    return this.#git.text(["commit-tree", tree, ...parents, "-F", "-"], {
      input: message,
      env: authorEnvironment(this.#options.author),
    });
  }

  /**
   * Moves the branch from the tip to the commit, if it still is at the tip.
   * @throws CastleError gitops/unreachable (the push may have arrived all the same), gitops/credentials …
   */
  async push({ commit: expected }: Tip, commit: string): Promise<PushAnswer> {
    const { url, branch } = this.remote;
    const ref = `refs/heads/${branch}`;
    const result = await this.#git.call(
      [
        "push",
        "--porcelain",
        "--no-verify",
        `--force-with-lease=${ref}:${expected ?? ""}`,
        "--",
        url,
        `${commit}:${ref}`,
      ],
      { remote: true, timeout: TRANSFER_DEADLINE },
    );
    return pushAnswer(this.remote, result);
  }

  /**
   * Whether a push would be let in, as far as a server tells without one: its hooks are not asked.
   * @throws CastleError gitops/credentials, gitops/unreachable …
   */
  async checkWritable({ commit }: Tip): Promise<void> {
    if (commit === undefined) return;
    const { url, branch } = this.remote;
    const refspec = `${commit}:refs/heads/${branch}`;
    const args = ["push", "--dry-run", "--porcelain", "--no-verify", "--", url, refspec];
    pushAnswer(this.remote, await this.#git.call(args, { remote: true, timeout: TRANSFER_DEADLINE }));
  }

  /** Whether the copy has both commits and the one is the other, or before it. */
  async isAncestor(one: string, other: string): Promise<boolean> {
    return (await this.#git.call(["merge-base", "--is-ancestor", one, other])).exitCode === 0;
  }

  /** The files that differ between two commits; undefined: the copy does not have both. */
  async changed(from: string, to: string): Promise<readonly string[] | undefined> {
    const args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to];
    const { exitCode, stdout } = await this.#git.call(args);
    return exitCode === 0 ? stdout.toString("utf8").split("\0").filter(Boolean) : undefined;
  }

  /** The commits that changed one of these files, newest first, each with the lines that it added there. */
  async past({ commit }: Tip, paths: readonly string[]): Promise<readonly PastCommit[]> {
    if (commit === undefined || paths.length === 0) return [];
    return parsePast(await this.#git.text([...PAST_LOG, commit, "--", ...paths]));
  }

  async #heads(): Promise<ReadonlyMap<string, string>> {
    const result = await this.#git.call(["ls-remote", "--heads", "--", this.remote.url], {
      remote: true,
      timeout: ANSWER_DEADLINE,
    });
    if (result.exitCode !== 0) throw remoteFailure(this.remote, result);
    const lines = result.stdout.toString("utf8").split("\n").filter(Boolean);
    return new Map(
      lines.map((line) => [line.slice(line.indexOf("\t") + 1), line.slice(0, line.indexOf("\t"))]),
    );
  }

  async #knownTip(): Promise<string | undefined> {
    try {
      // Asking for the tree as well makes Git open the commit: a ref to a lost one is worth nothing.
      const known = await this.#git.text(["for-each-ref", "--format=%(objectname) %(tree)", TIP]);
      return known.split(" ")[0];
    } catch (error) {
      if (!(error instanceof CastleError && error.code === "gitops/failed")) throw error;
      await this.#startOver();
      return undefined;
    }
  }

  async #fetch(timeout = TRANSFER_DEADLINE, again = true): Promise<string> {
    const { url, branch } = this.remote;
    const refspec = `+refs/heads/${branch}:${TIP}`;
    const flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
    const result = await this.#git.call(["fetch", ...flags, "--", url, refspec], {
      remote: true,
      timeout,
    });
    if (result.exitCode === 0) return this.#git.text(["rev-parse", "--verify", TIP]);
    // A kill in the middle of an earlier fetch leaves a lock or half an object; the copy is worth nothing.
    if (
      again &&
      /\.lock'?:|cannot lock ref|corrupt|bad object|missing necessary|is empty/i.test(result.stderr)
    ) {
      await this.#startOver();
      return this.#fetch(timeout, false);
    }
    throw remoteFailure(this.remote, result);
  }

  /** What a kill left: files for one call, credentials among them. */
  async #sweep(): Promise<void> {
    const { folder } = this.#options;
    const left = (await readdir(folder).catch(() => [])).filter((name) =>
      /^(access|blobs|index)-/.test(name),
    );
    await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  }

  async #startOver(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true });
    await this.#git.prepare();
  }

  /** The tree of a commit, or an empty one, with these entries put in; mode 0 takes one out. */
  async #treeOf(base: string | undefined, entries: readonly TreeEntry[]): Promise<string> {
    const index = join(this.#options.folder, `index-${randomBytes(6).toString("hex")}`);
    const env = { GIT_INDEX_FILE: index };
    try {
      await this.#git.bytes(["read-tree", base ?? "--empty"], { env });
      const lines = entries.map(({ mode, id, path }) => `${mode} ${id}\t${path}\0`);
      await this.#git.bytes(["update-index", "-z", "--index-info"], { env, input: lines.join("") });
      return await this.#git.text(["write-tree"], { env });
    } finally {
      await rm(index, { force: true });
    }
  }

  async #writeBlobs(contents: readonly Uint8Array[]): Promise<readonly string[]> {
    if (contents.length === 0) return [];
    const work = await mkdtemp(join(this.#options.folder, "blobs-"));
    try {
      const paths = contents.map((_, index) => join(work, String(index)));
      for (const [index, content] of contents.entries()) await writeFile(paths[index] ?? "", content);
      const said = await this.#git.text(["hash-object", "-w", "--no-filters", "--stdin-paths"], {
        input: paths.map((path) => `${path}\n`).join(""),
      });
      return said.split("\n");
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
}
