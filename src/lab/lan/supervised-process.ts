import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { Report } from "../../journal/step.ts";
import { poll } from "../../support/poll.ts";
import { endProcess, identify, type ProcessIdentity } from "../../support/process-identity.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import { enterNamespace } from "./namespace.ts";

export interface Program {
  /** Names the pid file and the log. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The whole environment besides PATH: what the daemon was started with is not passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Network namespace to run in; undefined: the daemon's. */
  readonly namespace?: string;
}

export interface SupervisionOptions {
  readonly pidFile: string;
  readonly log: string;
  readonly report: Report | undefined;
  readonly restarts: number;
}

export type ProcessState =
  | { readonly kind: "running"; readonly identity: ProcessIdentity }
  | { readonly kind: "restarting"; readonly attempt: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly detail: string };

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const MINUTE = 60_000;
const LONGEST_LOG = 8 * 1024 * 1024;

/** One program that is started again when it ends by itself, a bounded number of times. */
export class SupervisedProcess {
  readonly #program: Program;
  readonly #options: SupervisionOptions;
  readonly #stopping = new AbortController();
  #state: ProcessState = { kind: "restarting", attempt: 0 };
  #supervision: Promise<void> = Promise.resolve();
  #ends: number[] = [];

  private constructor(program: Program, options: SupervisionOptions) {
    this.#program = program;
    this.#options = options;
  }

  static async start(program: Program, options: SupervisionOptions): Promise<SupervisedProcess> {
    const supervised = new SupervisedProcess(program, options);
    await mkdir(dirname(options.log), { recursive: true, mode: 0o700 });
    await rotate(options.log);
    const first = await supervised.#spawn();
    supervised.#supervision = supervised.#supervise(first);
    return supervised;
  }

  get name(): string {
    return this.#program.name;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /**
   * Waits until `check` says true.
   * @throws CastleError lan/service-failed if the program ends before, or takes longer than `within` milliseconds
   */
  async ready(check: () => Promise<boolean>, within = 20_000, signal?: AbortSignal): Promise<void> {
    const look = async () => {
      if (await check()) return true;
      if (this.#ends.length > 0) throw await this.#failure("ended before it was ready");
      return undefined;
    };
    let late = false;
    const onTimeout = () => {
      late = true;
      return new Error("late");
    };
    try {
      await poll(look, { every: 20, within, signal, onTimeout });
    } catch (error) {
      if (late) throw await this.#failure(`was not ready within ${within} ms`);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#endIt();
    await this.#supervision;
    await rm(this.#options.pidFile, { force: true });
    this.#state = { kind: "stopped" };
  }

  async #spawn(): Promise<ChildProcess> {
    const { command, env, namespace } = this.#program;
    // The kernel ends the program with its daemon, however that ends.
    const whole = [
      "--pdeathsig",
      "KILL",
      ...(namespace === undefined ? [] : enterNamespace(namespace)),
      ...command,
    ];
    const log = await open(this.#options.log, "a", 0o600);
    try {
      const child = spawn("setpriv", whole, {
        env: { PATH, ...env },
        stdio: ["ignore", log.fd, log.fd],
        // A group of its own: Ctrl-C in the daemon's terminal is not for it.
        detached: true,
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      await this.#record(child);
      return child;
    } finally {
      await log.close();
    }
  }

  /** A program that nobody could find again, because its LAN was taken away meanwhile, must not go on. */
  async #record(child: ChildProcess): Promise<void> {
    try {
      const identity = child.pid === undefined ? undefined : await identify(child.pid);
      if (identity === undefined) return;
      await writeFileAtomic(this.#options.pidFile, `${JSON.stringify(identity)}\n`);
      this.#state = { kind: "running", identity };
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  async #supervise(first: ChildProcess): Promise<void> {
    let child = first;
    for (;;) {
      const detail = await ended(child);
      if (this.#stopping.signal.aborted) return;
      const now = performance.now();
      this.#ends = [...this.#ends.filter((end) => end > now - MINUTE), now];
      const attempt = this.#ends.length;
      if (attempt > this.#options.restarts) {
        this.#giveUp(`${detail}; it ended ${attempt} times within a minute`);
        return;
      }
      this.#state = { kind: "restarting", attempt };
      this.#options.report?.({
        type: "warning",
        message: `${this.name} of the lab's LAN ${detail}; starting it again`,
        hint: `its log: ${this.#options.log}`,
      });
      const pause = Math.min(100 * 2 ** (attempt - 1), 5_000);
      await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      try {
        child = await this.#spawn();
      } catch (error) {
        this.#giveUp(String(error));
        return;
      }
      if (this.#stopping.signal.aborted) await this.#endIt();
    }
  }

  async #endIt(): Promise<void> {
    if (this.#state.kind === "running") await endProcess(this.#state.identity);
  }

  #giveUp(detail: string): void {
    this.#state = { kind: "failed", detail };
    this.#options.report?.({
      type: "warning",
      message: `${this.name} of the lab's LAN is given up: it ${detail}`,
      hint: `its log: ${this.#options.log}`,
    });
  }

  async #failure(what: string): Promise<CastleError> {
    const log = await readFile(this.#options.log, "utf8").catch(() => "");
    const said = log.trimEnd().split("\n").slice(-5).join("\n");
    return new CastleError("lan/service-failed", {
      message: `${this.name} of the lab's LAN ${what}: ${said === "" ? "it said nothing" : said}`,
      hint: `read ${this.#options.log}`,
      details: { service: this.name, log: this.#options.log },
    });
  }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    const say = () =>
      resolve(
        child.signalCode === null
          ? `ended with exit code ${child.exitCode}`
          : `was ended by ${child.signalCode}`,
      );
    if (child.exitCode !== null || child.signalCode !== null) say();
    else child.once("exit", say);
  });
}

async function rotate(log: string): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LONGEST_LOG) await rename(log, `${log}.1`);
}
