import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../../journal/step.ts";
import { endProcess, processIdentityShape } from "../../support/process-identity.ts";
import { type Program, SupervisedProcess } from "./supervised-process.ts";
import { parsedJson } from "../../support/json.ts";

export interface ProcessesOptions {
  /** Folder for pid files; it may be gone after a restart of the machine. */
  readonly run: string;
  /** Folder for NAME.log. */
  readonly logs: string;
  readonly report?: Report | undefined;
  /** Restarts allowed within a minute before a process is given up; 5 unless told. */
  readonly restarts?: number;
}

/** The programs that a lab's daemon keeps running. They end with it, even if it is killed. */
export class Processes {
  readonly #options: ProcessesOptions;
  readonly #running = new Map<string, SupervisedProcess>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Starts the program, and before that ends the one of that name that an earlier daemon left. */
  async start(program: Program): Promise<SupervisedProcess> {
    await this.#running.get(program.name)?.stop();
    const pidFile = pidFileOf(this.#options.run, program.name);
    await endRecorded(pidFile);
    const supervised = await SupervisedProcess.start(program, {
      pidFile,
      log: join(this.#options.logs, `${program.name}.log`),
      report: this.#options.report,
      restarts: this.#options.restarts ?? 5,
    });
    this.#running.set(program.name, supervised);
    return supervised;
  }

  list(): SupervisedProcess[] {
    return [...this.#running.values()];
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((supervised) => supervised.stop()));
    this.#running.clear();
  }
}

/** Ends what the pid files of a folder name, for a lab whose daemon is gone. */
export async function endRecordedProcesses(run: string): Promise<void> {
  const files = await readdir(run).catch(() => []);
  await Promise.all(
    files.filter((file) => file.endsWith(".pid")).map((file) => endRecorded(join(run, file))),
  );
}

function pidFileOf(run: string, name: string): string {
  return join(run, `${name}.pid`);
}

async function endRecorded(pidFile: string): Promise<void> {
  const text = await readFile(pidFile, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const identity = parseIdentity(text);
  if (identity !== undefined) await endProcess(identity);
  await rm(pidFile, { force: true });
}

function parseIdentity(text: string) {
  return processIdentityShape.safeParse(parsedJson(text)).data;
}
