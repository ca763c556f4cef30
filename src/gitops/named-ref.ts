import { CastleError } from "../errors/castle-error.ts";
import { checkRemote, type RemoteName, remoteFailure } from "./failure.ts";
import { Git, type GitOptions } from "./git.ts";
import { pushAnswer } from "./push-answer.ts";
import { CASTLE, authorEnvironment } from "./author.ts";

export interface NamedRefOptions extends GitOptions {
  readonly url: string;
  /** refs/castle/NAME/… : beside the branches, so that neither Flux nor a pipeline is woken by it. */
  readonly ref: string;
}

export interface RefContent {
  readonly commit: string;
  /** The message of a commit without files. */
  readonly text: string;
}

/** Milliseconds that the server has to answer. */
const DEADLINE = 15_000;
/** A short text under one ref of a repository, changed by compare-and-swap alone. */
export class NamedRef {
  readonly #options: NamedRefOptions;
  readonly #remote: RemoteName;
  readonly #git: Git;

  private constructor(options: NamedRefOptions) {
    this.#options = options;
    this.#remote = { url: options.url, branch: options.ref };
    this.#git = new Git(options);
  }

  /** Talks to nobody yet. @throws CastleError gitops/remote-invalid, gitops/failed, command/missing */
  static async open(options: NamedRefOptions): Promise<NamedRef> {
    checkRemote({ url: options.url, branch: options.ref });
    const named = new NamedRef(options);
    await named.#git.prepare();
    return named;
  }

  /** Undefined: the ref is not there. @throws CastleError gitops/… */
  async read(): Promise<RefContent | undefined> {
    const { url, ref } = this.#options;
    const found = await this.#git.call(["ls-remote", "--", url, ref], { remote: true, timeout: DEADLINE });
    if (found.exitCode !== 0) throw remoteFailure(this.#remote, found);
    const [commit] = found.stdout.toString("utf8").split("\t");
    if (commit === undefined || commit === "") return undefined;
    const flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1"];
    const fetched = await this.#git.call(["fetch", ...flags, "--", url, `+${ref}:${ref}`], {
      remote: true,
      timeout: DEADLINE,
    });
    if (/couldn't find remote ref/i.test(fetched.stderr)) return undefined;
    if (fetched.exitCode !== 0) throw remoteFailure(this.#remote, fetched);
    const text = await this.#git.text(["log", "-1", "--format=%H%n%B", ref]);
    return { commit: text.slice(0, text.indexOf("\n")), text: text.slice(text.indexOf("\n") + 1).trim() };
  }

  /**
   * Puts the text there if the ref still is at `expected`; undefined: if there is none.
   * @returns the commit that holds it; undefined: somebody else was faster
   * @throws CastleError gitops/…
   */
  async write(text: string, expected: string | undefined): Promise<string | undefined> {
    const tree = await this.#git.text(["mktree"], { input: "" });
    const commit = await this.#git.text(["commit-tree", tree, "-F", "-"], {
      input: text,
      env: authorEnvironment(CASTLE),
    });
    return (await this.#push(`${commit}:${this.#options.ref}`, expected)) ? commit : undefined;
  }

  /** @returns false: it is another's by now */
  async remove(expected: string): Promise<boolean> {
    return this.#push(`:${this.#options.ref}`, expected);
  }

  async #push(refspec: string, expected: string | undefined): Promise<boolean> {
    const { url, ref } = this.#options;
    const lease = `--force-with-lease=${ref}:${expected ?? ""}`;
    const result = await this.#git.call(["push", "--porcelain", "--no-verify", lease, "--", url, refspec], {
      remote: true,
      timeout: DEADLINE,
    });
    const answer = pushAnswer(this.#remote, result);
    if (answer.kind === "declined") {
      throw new CastleError("gitops/declined", {
        message: `${url} does not take ${ref}: ${answer.reason.message}`,
        hint: "let castle's user push refs/castle/*",
        cause: answer.reason,
      });
    }
    return answer.kind === "accepted";
  }
}
