import { setTimeout as delay } from "node:timers/promises";
import type { TaskRecord } from "../inventory/record.ts";
import type { StateFile } from "../inventory/state-file.ts";
import { formatUpid } from "./upid.ts";

/** Finished tasks beyond this number are forgotten, oldest first. */
const KEPT = 500;
const MAX_PID = 0x3f_ff_ff;

export interface TaskRequest {
  readonly host: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
}

export type TaskWork = (log: (line: string) => void) => Promise<void>;

/** Work that goes on after its call has been answered; its end is kept for those who ask later. */
export class TaskList {
  readonly #file: StateFile;
  readonly #log: (line: string) => void;
  readonly #running = new Map<string, Promise<void>>();
  #lastPid = 0;

  constructor(file: StateFile, log: (line: string) => void) {
    this.#file = file;
    this.#log = log;
  }

  /** Begins the work and returns the task's UPID, which is on the disk by then. */
  async begin(request: TaskRequest, work: TaskWork): Promise<string> {
    const upid = formatUpid({
      ...request,
      pid: this.#nextPid(),
      pstart: Math.floor(performance.now() / 10),
      startTime: seconds(),
    });
    const task: TaskRecord = { upid, log: [] };
    const { state } = this.#file;
    state.tasks = [...state.tasks, task].slice(-KEPT);
    await this.#file.save();
    const running = this.#work(task, work).finally(() => this.#running.delete(upid));
    this.#running.set(upid, running);
    return upid;
  }

  find(upid: string): TaskRecord | undefined {
    return this.#file.state.tasks.find((task) => task.upid === upid);
  }

  /** Resolves when the task has ended, or after `within` milliseconds. */
  async settle(upid: string, within: number): Promise<void> {
    const running = this.#running.get(upid);
    if (running === undefined) return;
    const timer = new AbortController();
    const late = delay(within, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
    await Promise.race([running, late]);
    timer.abort();
  }

  /** Tasks that a killed daemon left open: their work is gone, and waiting for them would never end. */
  closeInterrupted(): void {
    for (const task of this.#file.state.tasks) {
      if (task.endTime !== undefined) continue;
      end(task, "interrupted: the hypervisor was restarted");
    }
  }

  async drain(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #work(task: TaskRecord, work: TaskWork): Promise<void> {
    let exitStatus = "OK";
    try {
      await work((line) => task.log.push(line));
    } catch (error) {
      exitStatus = oneLine(error instanceof Error ? error.message : "unknown error");
      this.#log(`${task.upid} ${exitStatus}`);
    }
    end(task, exitStatus);
    await this.#file.save().catch((error: unknown) => {
      this.#log(`${task.upid} state not saved: ${String(error)}`);
    });
  }

  /** Not a real process; only told apart from the others of the same second. */
  #nextPid(): number {
    this.#lastPid = (Math.max(this.#lastPid, seconds() & 0xf_ff_ff) + 1) % MAX_PID;
    return this.#lastPid;
  }
}

function end(task: TaskRecord, exitStatus: string): void {
  task.log.push(exitStatus === "OK" ? "TASK OK" : `TASK ERROR: ${exitStatus}`);
  task.exitStatus = exitStatus;
  task.endTime = seconds();
}

function oneLine(message: string): string {
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line === "" ? "unknown error" : line;
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
