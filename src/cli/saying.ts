import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import { FREE_DISK, isDiskFull } from "../support/disk-full.ts";
import type { Answer } from "./answer.ts";
import type { Context } from "./context.ts";
import type { API_VERSION, DocumentData, DocumentKind } from "./documents.ts";
import type { OutputFormat } from "./flags.ts";
import { liveProgress } from "./progress/live.ts";
import { plainProgress } from "./progress/plain.ts";

/** Written out, because documents.ts loads zod, which no command has to. */
const apiVersion: typeof API_VERSION = "castle.dev/v1alpha1";

/** What `answer` does, once there is a command to answer. */
export async function say(
  context: Context,
  output: OutputFormat,
  work: (report: Report) => Promise<Answer>,
): Promise<void> {
  const { stdout, stderr } = context.process;
  const live =
    context.interactive && output === "text" ? liveProgress(stderr, { color: context.color }) : undefined;
  const report = live?.report ?? plainProgress(stderr);
  try {
    const said = await work(report);
    live?.stop();
    if (said.kind === "Passed") return;
    const { kind, data, text, exit } = said;
    if (output === "json") print(context, kind, data);
    else if (text !== "") stdout.write(text.endsWith("\n") ? text : `${text}\n`);
    context.process.exitCode = exit ?? 0;
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
      stderr.write(errorText(error, context.env["CASTLE_DEBUG"] !== undefined));
    }
    context.process.exitCode = error.exitCode;
  }
}

function print<K extends DocumentKind>(context: Context, kind: K, data: DocumentData<K>): void {
  context.process.stdout.write(`${JSON.stringify({ apiVersion, kind, ...data }, undefined, 2)}\n`);
}

function asCastleError(thrown: unknown, signal: AbortSignal): CastleError {
  // A publication says what is and what is not live, however it ended.
  if (thrown instanceof CastleError && thrown.details["standing"] !== undefined) return thrown;
  if (signal.aborted) {
    return new CastleError("command/interrupted", {
      message: "Interrupted; nothing is lost",
      hint: "run the same command again to go on",
      cause: thrown,
    });
  }
  if (thrown instanceof CastleError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  if (isDiskFull(thrown)) {
    return new CastleError("command/disk-full", { message, hint: FREE_DISK, cause: thrown });
  }
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
