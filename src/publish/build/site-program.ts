import { execa, ExecaError } from "execa";
import { CastleError } from "../../errors/castle-error.ts";

export interface SiteProgram {
  readonly file: string;
  readonly args: readonly string[];
  /** The exported commit: its path is taken out of messages. */
  readonly tree: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds that a site's program has. */
const DEADLINE = 600_000;
const LINES = 12;

/**
 * Runs the program that makes the pages and returns what it said.
 * @throws CastleError build/failed with its own words, build/timed-out, command/missing, command/interrupted
 */
export async function runSiteProgram({ file, args, tree, env, signal }: SiteProgram): Promise<string> {
  try {
    const done = await execa(file, args, {
      cwd: tree,
      env,
      extendEnv: false,
      stdin: "ignore",
      timeout: DEADLINE,
      forceKillAfterDelay: 2_000,
      maxBuffer: 64 * 1024 * 1024,
      all: true,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    return done.all;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const name = file.split("/").at(-1) ?? file;
    if (error.code === "ENOENT") {
      throw new CastleError("command/missing", {
        message: `${file}, which builds the site, is not installed or not on PATH; nothing was pushed`,
      });
    }
    if (error.isCanceled) {
      throw new CastleError("command/interrupted", {
        message: `${name} was interrupted; nothing was pushed`,
      });
    }
    const said = telling(typeof error.all === "string" ? error.all : "", tree);
    throw new CastleError(error.timedOut ? "build/timed-out" : "build/failed", {
      message: `${name} ${error.timedOut ? `did not finish in ${DEADLINE / 60_000} minutes` : "failed"}: ${said}. Nothing was pushed, what is live stays live`,
      hint: "mend the site, commit and push it",
      details: { exitCode: error.exitCode, said },
    });
  }
}

/**
 * The lines that say what is wrong, with paths as the site's author knows them. Hugo says it in lines that begin with
 * ERROR or WARN, and after a warning that was made fatal in pages of its own stack as well.
 */
export function telling(output: string, tree: string): string {
  const lines = output.replaceAll(`${tree}/`, "").trimEnd().split("\n");
  const marked = lines.filter((line) => /^(?:ERROR|WARN)\b/.test(line));
  const told = marked.length > 0 ? marked : lines.filter((line) => line.trim() !== "");
  return [...new Set(told)].slice(-LINES).join("\n");
}
