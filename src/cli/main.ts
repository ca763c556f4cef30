import { setMaxListeners } from "node:events";
import { realpathSync } from "node:fs";
import { run } from "@stricli/core";
import { app } from "./app.ts";
import type { CastleProcess, Context } from "./context.ts";
import { withEnvironmentFlags } from "./environment-flags.ts";

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
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  const context: Context = {
    process: castleProcess(process),
    cwd: process.cwd(),
    env: process.env,
    interactive: process.stderr.isTTY === true && process.env["CI"] === undefined,
    signal: controller.signal,
    now: () => new Date(),
    executable: realpathSync(process.argv[1] ?? ""),
    node: process.execPath,
    uid: process.getuid?.() ?? -1,
  };
  await run(app, withEnvironmentFlags(process.argv.slice(2), process.env), context);
  // stricli's own codes are negative: a command line that it could not read is a usage fault.
  if (typeof process.exitCode === "number" && process.exitCode < 0) process.exitCode = USAGE;
}

/** The real process; only its exit code has a type of its own here, so that undefined cannot be written. */
function castleProcess(process: NodeJS.Process): CastleProcess {
  const { stdout, stderr, stdin, pid } = process;
  return {
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
