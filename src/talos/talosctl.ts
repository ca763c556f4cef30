import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CastleError } from "../errors/castle-error.ts";
import { run } from "../support/run.ts";

export interface Talosctl {
  /** Path of the program, or its name if it is on PATH. */
  readonly path: string;
  /** A folder that only its owner may read; secrets pass through a short-lived folder in it. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/** @throws CastleError talos/render-failed, command/missing, command/timed-out, command/interrupted */
export async function talosctl(tool: Talosctl, args: readonly string[]): Promise<string> {
  try {
    const options = { timeout: 30_000, ...(tool.signal === undefined ? {} : { signal: tool.signal }) };
    return (await run(tool.path, args, options)).stdout;
  } catch (error) {
    if (!(error instanceof CastleError) || error.code !== "command/failed") throw error;
    throw new CastleError("talos/render-failed", {
      message: error.message,
      hint: "check talos and kubernetes versions and all patches in castle.yaml: castle validate",
      cause: error,
      details: error.details,
    });
  }
}

/** Gives `work` a folder of mode 0700 for files that talosctl wants to read or write, and removes it afterwards. */
export async function withScratch<Result>(
  tool: Talosctl,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(tool.folder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(tool.folder, ".talosctl-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
