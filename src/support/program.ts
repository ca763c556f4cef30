import { spawn } from "node:child_process";
import { kill } from "node:process";
import type { Readable } from "node:stream";

export interface ProgramCall {
  /** The whole of it; undefined: castle's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly input?: string | Uint8Array | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ProgramEnd {
  /** Undefined if it was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly endedBy: string | undefined;
  /** Why it was ended from here; undefined: it was not. */
  readonly stopped: "late" | "interrupted" | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Milliseconds between asking a program to end and ending it. */
const GRACE = 2_000;

/**
 * Runs a program to its end. At its deadline it is ended with all that it started: Git's helpers hold its pipes open, and
 * go on, for as long as a server is silent.
 * @returns undefined: there is no such program
 */
export function runProgram(
  file: string,
  args: readonly string[],
  { env, cwd, input, timeout, signal }: ProgramCall,
): Promise<ProgramEnd | undefined> {
  return new Promise((resolve, reject) => {
    let stopped: ProgramEnd["stopped"];
    // A process group of its own, which can be ended as a whole.
    const child = spawn(file, args, {
      detached: true,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
    let grace: NodeJS.Timeout | undefined;
    const end = (why: "late" | "interrupted") => {
      if (stopped !== undefined || child.pid === undefined) return;
      const group = -child.pid;
      stopped = why;
      signalTo(group, "SIGTERM");
      grace = setTimeout(() => {
        signalTo(group, "SIGKILL");
        // Whoever left the group may still hold its pipes.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, GRACE);
    };
    const deadline = setTimeout(() => end("late"), timeout);
    const interrupt = () => end("interrupted");
    if (signal?.aborted === true) interrupt();
    signal?.addEventListener("abort", interrupt, { once: true });
    const settled = () => {
      clearTimeout(deadline);
      clearTimeout(grace);
      signal?.removeEventListener("abort", interrupt);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      settled();
      if (error.code === "ENOENT") resolve(undefined);
      else reject(error);
    });
    child.once("close", (exitCode, endedBy) => {
      settled();
      resolve({
        exitCode: exitCode ?? undefined,
        endedBy: endedBy ?? undefined,
        stopped,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
      });
    });
    // A program need not read all that it is given.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}

function collected(stream: Readable | null): Buffer[] {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

function signalTo(group: number, name: NodeJS.Signals): void {
  try {
    kill(group, name);
  } catch {
    // It has ended meanwhile.
  }
}
