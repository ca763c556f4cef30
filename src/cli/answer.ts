import { CastleError } from "../errors/castle-error.ts";
import type { ExitCode } from "../errors/exit-code.ts";
import type { Report } from "../journal/step.ts";
import type { Context } from "./context.ts";
import type { OutputFormat } from "./flags.ts";
import { liveProgress } from "./progress/live.ts";
import { plainProgress } from "./progress/plain.ts";

export const API_VERSION = "castle.dev/v1alpha1";

/** What a command has to say: a JSON document of that kind, or text for people. */
export interface Answer {
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** 0 unless told; "keep": the work has set it. */
  readonly exit?: ExitCode | "keep";
}

/**
 * Runs a command's work with progress on standard error, prints its answer (or its error) in the asked format and
 * sets the exit code. With `-o json` standard output carries one document and nothing else.
 */
export async function answer(
  context: Context,
  output: OutputFormat,
  work: (report: Report) => Promise<Answer>,
): Promise<void> {
  const live = context.interactive && output === "text" ? liveProgress(context.process.stderr) : undefined;
  const report = live?.report ?? plainProgress(context.process.stderr);
  try {
    const { kind, data, text, exit } = await work(report);
    live?.stop();
    if (output === "json") print(context, kind, data);
    else if (text !== "") context.process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    if (exit !== "keep") context.process.exitCode = exit ?? 0;
  } catch (thrown) {
    live?.stop();
    const error = asCastleError(thrown, context.signal);
    if (output === "json") {
      print(context, "Error", {
        code: error.code,
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        details: error.details,
      });
    } else {
      context.process.stderr.write(errorText(error, context.env["CASTLE_DEBUG"] !== undefined));
    }
    context.process.exitCode = error.exitCode;
  }
}

function print(context: Context, kind: string, data: Readonly<Record<string, unknown>>): void {
  context.process.stdout.write(
    `${JSON.stringify({ apiVersion: API_VERSION, kind, ...data }, undefined, 2)}\n`,
  );
}

function asCastleError(thrown: unknown, signal: AbortSignal): CastleError {
  if (signal.aborted) {
    return new CastleError("command/interrupted", {
      message: "Interrupted; nothing is lost",
      hint: "run the same command again to go on",
      cause: thrown,
    });
  }
  if (thrown instanceof CastleError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new CastleError("command/unexpected", {
    message,
    hint: "this is a fault of castle itself; CASTLE_DEBUG=1 shows where",
    cause: thrown,
  });
}

function errorText(error: CastleError, debug: boolean): string {
  const hint = error.hint === undefined ? "" : `  → ${error.hint}\n`;
  const stack = debug
    ? `${error.stack ?? ""}\n${error.cause instanceof Error ? (error.cause.stack ?? "") : ""}\n`
    : "";
  return `✗ ${error.message} [${error.code}]\n${hint}${stack}`;
}
