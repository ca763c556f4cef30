import { setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { run } from "@stricli/core";
import { app } from "./app.ts";
import { type ColorChoice, chooseColor } from "./color.ts";
import type { CastleProcess, Context } from "./context.ts";
import { withEnvironmentFlags } from "./environment-flags.ts";
import { SHOW_CURSOR } from "./progress/cursor.ts";

const USAGE = 2;
const INTERRUPTED = 130;

/** Runs one command line and sets the exit code; the only place that touches the real process. */
export async function main(process: NodeJS.Process): Promise<void> {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  // Whatever ends castle, a terminal gets its cursor back.
  if (isTerminal(process.stderr)) process.once("exit", () => process.stderr.write(SHOW_CURSOR));
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const { argv, color } = chooseColor(process.argv.slice(2), process.env);
  const context: Context = {
    process: castleProcess(process, color),
    cwd: process.cwd(),
    env: process.env,
    interactive: isTerminal(process.stderr) && process.env["CI"] === undefined,
    color: color === "auto" && isTerminal(process.stderr),
    signal: controller.signal,
    now: () => new Date(),
    executable: realpathSync(process.argv[1] ?? ""),
    node: process.execPath,
    uid: process.getuid?.() ?? -1,
  };
  const words = withEnvironmentFlags(app.root, argv, process.env);
  await run(app, words, context);
  // stricli's own codes are negative: a command line that it could not read is a usage fault.
  if (typeof process.exitCode === "number" && process.exitCode < 0) {
    process.exitCode = USAGE;
    if (wantsJson(words)) await printUsageError(process);
  }
}

/** Node types it as always true; it is absent where the stream is no terminal. */
function isTerminal({ isTTY }: { readonly isTTY?: boolean }): boolean {
  return isTTY === true;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  return /(^| )(-o|--output)[ =]json( |$)/.test(own.join(" "));
}

/** stricli has said on standard error what is wrong; who reads JSON is told as well. */
async function printUsageError(process: NodeJS.Process): Promise<void> {
  const { API_VERSION } = await import("./documents.ts");
  const document = {
    apiVersion: API_VERSION,
    kind: "Error",
    code: "command/usage",
    message: "The command line is not one that castle knows; standard error tells the word",
    hint: "castle --help",
    details: {},
  };
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** The real process; only its exit code has a type of its own here, so that undefined cannot be written. */
function castleProcess(process: NodeJS.Process, color: ColorChoice): CastleProcess {
  const { stdout, stderr, stdin, pid } = process;
  return {
    // stricli's word for what it prints itself.
    env: color === "never" ? { STRICLI_NO_COLOR: "1" } : {},
    stdout,
    stderr,
    stdin,
    pid,
    get exitCode() {
      return process.exitCode ?? null;
    },
    set exitCode(code: number | string | null) {
      process.exitCode = code ?? 0;
    },
  };
}
