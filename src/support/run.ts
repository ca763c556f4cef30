import { env as ownEnvironment } from "node:process";
import { CastleError } from "../errors/castle-error.ts";
import { FREE_DISK } from "./disk-full.ts";
import { type ProgramEnd, runProgram } from "./program.ts";
import { Secret } from "./secret.ts";

/** Milliseconds that a program has unless told. */
const DEADLINE = 60_000;

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the caller's environment; a Secret is revealed to the child only. */
  readonly env?: Readonly<Record<string, string | Secret>>;
  /** Standard input. The place for secrets: argv is world-readable. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Milliseconds; 60 000 unless told. */
  readonly timeout?: number;
  /** Exit codes that are an answer rather than a failure; 0 always is. */
  readonly accept?: readonly number[];
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end and returns what it said.
 * @throws CastleError command/missing, command/failed, command/disk-full, command/timed-out, command/interrupted
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const secrets = Object.values(options.env ?? {}).filter((value) => value instanceof Secret);
  const redact = (text: string) =>
    secrets.reduce((redacted, secret) => redacted.replaceAll(secret.reveal(), String(secret)), text);
  const env = Object.fromEntries(
    Object.entries({ ...ownEnvironment, ...options.env }).map(([key, value]) => [
      key,
      value instanceof Secret ? value.reveal() : (value ?? ""),
    ]),
  );
  const { cwd, input, signal, timeout = DEADLINE } = options;
  const end = await runProgram(file, args, { env, cwd, input, timeout, signal });
  if (end === undefined) {
    throw new CastleError("command/missing", {
      message: `${file} is not installed or not on PATH`,
      details: { command: redact([file, ...args].join(" ")) },
    });
  }
  const { exitCode } = end;
  const [stdout, stderr] = [textOf(end.stdout), textOf(end.stderr)];
  if (exitCode === 0 || (exitCode !== undefined && options.accept?.includes(exitCode) === true)) {
    return { exitCode, stdout, stderr };
  }
  throw failure(end, {
    command: redact([file, ...args].join(" ")),
    said: redact(lastLines(stderr === "" ? stdout : stderr)),
    diskFull: DISK_FULL.test(stderr),
    timeout,
  });
}

/** Without the last line feed. */
function textOf(output: Buffer): string {
  return output.toString("utf8").replace(/\r?\n$/, "");
}

interface Failed {
  readonly command: string;
  /** What the program said last. */
  readonly said: string;
  readonly diskFull: boolean;
  readonly timeout: number;
}

/** As the C library and Go say it. */
const DISK_FULL = /no space left on device|disk quota exceeded/i;

function failure(
  { exitCode, endedBy, stopped }: ProgramEnd,
  { command, said, diskFull, timeout }: Failed,
): CastleError {
  const details = { command, exitCode, signal: endedBy };
  if (stopped === "interrupted") {
    return new CastleError("command/interrupted", { message: `${command} was interrupted`, details });
  }
  if (stopped === "late") {
    const message = `${command} did not finish in ${timeout} ms: ${said}`;
    return new CastleError("command/timed-out", { message, details });
  }
  if (diskFull) {
    const message = `${command} found no room on the disk: ${said}`;
    return new CastleError("command/disk-full", { message, hint: FREE_DISK, details });
  }
  const how = exitCode === undefined ? `was ended by ${endedBy}` : `ended with exit code ${exitCode}`;
  return new CastleError("command/failed", { message: `${command} ${how}: ${said}`, details });
}

function lastLines(text: string): string {
  return text.trimEnd().split("\n").slice(-8).join("\n");
}
