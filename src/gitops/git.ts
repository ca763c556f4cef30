import { mkdir } from "node:fs/promises";
import { CastleError } from "../errors/castle-error.ts";
import { runProgram } from "../support/program.ts";
import { type GitCredentials, withCredentials } from "./credentials.ts";

export interface GitOptions {
  /** Folder of the bare repository; made by `prepare`. Nothing but this program uses it. */
  readonly folder: string;
  /** The caller's environment: PATH, HOME, proxies. What of it would steer Git elsewhere is left out. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly credentials?: GitCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GitCall {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; 30 000 unless told. */
  readonly timeout?: number;
  /** Whether the call talks to the remote, and so needs the credentials. */
  readonly remote?: boolean;
}

export interface GitResult {
  /** Git's exit code; undefined if it was ended by a signal, `late` says whether by the deadline. */
  readonly exitCode: number | undefined;
  readonly late: boolean;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Milliseconds. */
const DEADLINE = 30_000;

/** Nothing of the user's habits may change what castle writes; who the user trusts and by which proxy may stay. */
const SETTINGS = [
  "core.askPass=",
  "core.autocrlf=false",
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.quotePath=false",
  "gc.auto=0",
  "i18n.commitEncoding=utf-8",
  "maintenance.auto=false",
  "protocol.version=2",
  "push.followTags=false",
  "push.gpgSign=false",
  "push.recurseSubmodules=no",
  "transfer.fsckObjects=false",
  // A connection that carries less than a byte a second for 20 s is dead.
  "http.lowSpeedLimit=1",
  "http.lowSpeedTime=20",
];

/** Git's command line on one bare repository: no prompts, no user's hooks, every call with a deadline. */
export class Git {
  readonly #options: GitOptions;

  constructor(options: GitOptions) {
    this.#options = options;
  }

  /** Makes the repository, or leaves the one that is there. @throws CastleError gitops/failed, command/missing */
  async prepare(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    await this.text(["init", "--quiet", "--bare", "--template="]);
  }

  /**
   * Runs Git and returns what it said, whatever its exit code.
   * @throws CastleError command/missing, command/interrupted
   */
  async call(args: readonly string[], call: GitCall = {}): Promise<GitResult> {
    const { credentials, folder } = this.#options;
    return withCredentials(call.remote === true ? credentials : undefined, folder, ({ env, settings }) =>
      this.#spawn([...[...SETTINGS, ...settings].flatMap((setting) => ["-c", setting]), ...args], {
        ...call,
        env: { ...call.env, ...env },
      }),
    );
  }

  /** For calls that talk to nobody. @throws CastleError gitops/failed, command/missing, command/interrupted */
  async bytes(args: readonly string[], call: GitCall = {}): Promise<Buffer> {
    const result = await this.call(args, call);
    if (result.exitCode === 0) return result.stdout;
    throw new CastleError("gitops/failed", {
      message: `git ${args[0]} failed in ${this.#options.folder}: ${result.stderr.trim() || "it said nothing"}`,
      hint: `the folder is only a copy: remove it and run the command again`,
      details: { exitCode: result.exitCode },
    });
  }

  /** As `bytes`, without the last line feed. */
  async text(args: readonly string[], call: GitCall = {}): Promise<string> {
    return (await this.bytes(args, call)).toString("utf8").replace(/\n$/, "");
  }

  async #spawn(args: readonly string[], { input, env, timeout = DEADLINE }: GitCall): Promise<GitResult> {
    const { folder, environment, signal } = this.#options;
    const done = await runProgram("git", args, {
      env: { ...clean(environment), ...env, GIT_DIR: folder },
      input,
      timeout,
      signal,
    });
    if (done === undefined) {
      throw new CastleError("command/missing", {
        message: "git is not installed or not on PATH",
        hint: "install git, then run the command again",
      });
    }
    const { exitCode, stopped, stdout, stderr } = done;
    if (stopped === "interrupted" && exitCode !== 0) {
      throw new CastleError("command/interrupted", { message: "git was interrupted" });
    }
    return { exitCode, late: stopped === "late", stdout, stderr: stderr.toString("utf8") };
  }
}

function clean(environment: GitOptions["environment"]): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !steersGit(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    // Messages are read by this program.
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    // Without credentials of castle's own, ssh must fail rather than ask.
    GIT_SSH_COMMAND: "ssh -o BatchMode=yes -o ConnectTimeout=10",
  };
}

function steersGit(name: string): boolean {
  return name.startsWith("GIT_") || name === "SSH_ASKPASS" || name === "LANGUAGE" || name.startsWith("LC_");
}
