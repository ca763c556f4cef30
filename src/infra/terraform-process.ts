import { kill } from "node:process";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import {
  type Diagnostic,
  parseMessage,
  type PlannedChange,
  type TerraformMessage,
} from "./terraform-message.ts";

/** Milliseconds that Terraform gets to finish what it is doing after an interrupt, before it is killed. */
const GRACE = 20_000;

export interface TerraformCall {
  /** terraform or tofu. */
  readonly program: string;
  readonly directory: string;
  readonly args: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
  readonly env: Readonly<Record<string, string | Secret | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly onMessage?: (message: TerraformMessage) => void;
  readonly onStart?: (pid: number) => Promise<void>;
}

export interface TerraformOutcome {
  readonly exitCode: number;
  /** What is not a message of the machine-readable UI: the whole answer of `show`, the trace of a crash. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly planned: readonly PlannedChange[];
}

/**
 * Runs Terraform in a process group of its own, so that a Ctrl-C at the terminal reaches it once, from here: the second
 * interrupt makes Terraform drop what it is doing without saving it.
 * @throws CastleError infra/terraform-missing, command/interrupted, command/timed-out
 */
export async function callTerraform(call: TerraformCall): Promise<TerraformOutcome> {
  call.signal?.throwIfAborted();
  const redact = redactor(call.env);
  const child = execa(call.program, call.args, {
    cwd: call.directory,
    env: revealed(call.env),
    stdin: "ignore",
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  });
  const { pid } = child;
  let stopped: "interrupted" | "timed out" | undefined;
  let killer: NodeJS.Timeout | undefined;
  const stop = (why: "interrupted" | "timed out"): void => {
    if (stopped !== undefined || pid === undefined) return;
    stopped = why;
    child.kill("SIGINT");
    killer = setTimeout(() => killGroup(pid), GRACE);
  };
  const interrupt = (): void => stop("interrupted");
  const timer = setTimeout(() => stop("timed out"), call.timeout);
  call.signal?.addEventListener("abort", interrupt, { once: true });
  const diagnostics: Diagnostic[] = [];
  const planned: PlannedChange[] = [];
  const text: string[] = [];
  try {
    const reading = Promise.all([
      eachLine(child.stdout, (raw) => {
        const line = redact(raw);
        const message = parseMessage(line);
        if (message?.type === "diagnostic") diagnostics.push(message.diagnostic);
        if (message?.type === "planned_change") planned.push(message.change);
        if (message === undefined && !line.startsWith('{"@')) text.push(line);
        if (message !== undefined) call.onMessage?.(message);
      }),
      eachLine(child.stderr, (line) => text.push(redact(line))),
    ]);
    if (pid !== undefined) await call.onStart?.(pid);
    const [result] = await Promise.all([child, reading]);
    // Without Terraform its provider would go on creating machines that no state will ever name.
    if (result.signal !== undefined && pid !== undefined) killGroup(pid);
    if (result.code === "ENOENT") throw missing(call.program);
    const command = `${call.program} ${call.args[0] ?? ""}`;
    if (stopped === "interrupted") {
      throw new CastleError("command/interrupted", { message: `${command} was interrupted` });
    }
    if (stopped === "timed out") {
      const message = `${command} did not finish in ${call.timeout} ms`;
      throw new CastleError("command/timed-out", { message, hint: "run the same command again to go on" });
    }
    return { exitCode: result.exitCode ?? 1, text: text.join("\n"), diagnostics, planned };
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    call.signal?.removeEventListener("abort", interrupt);
  }
}

export function missing(program: string): CastleError {
  return new CastleError("infra/terraform-missing", {
    message: `${program} cannot be found on PATH`,
    hint: "install Terraform 1.6 or newer, or OpenTofu",
  });
}

/** Ends Terraform together with the provider that it started. */
function killGroup(leader: number): void {
  try {
    kill(-leader, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

async function eachLine(stream: NodeJS.ReadableStream | null, take: (line: string) => void): Promise<void> {
  if (stream === null) return;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }))
    take(line);
}

function revealed(env: TerraformCall["env"]): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [key, value instanceof Secret ? value.reveal() : value]),
  );
}

/** Hides a token as a whole and its secret half alone. */
function redactor(env: TerraformCall["env"]): (text: string) => string {
  const secrets = Object.values(env)
    .filter((value) => value instanceof Secret)
    .flatMap((secret) => [secret.reveal(), secret.reveal().split("=").slice(1).join("=")])
    .filter((value) => value !== "");
  return (text) => secrets.reduce((redacted, secret) => redacted.replaceAll(secret, "***"), text);
}
