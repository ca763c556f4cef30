import { createHash } from "node:crypto";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { identify } from "./process-identity.ts";

/** A folder for what one run works with, which nobody else reads. */
export interface ScratchFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Makes a folder in `root`, and removes those of the same purpose whose process was killed. The name tells whose it is,
 * so that there is no moment in which it belongs to nobody.
 * @param purpose part of the name, castle-PURPOSE-…
 */
export async function openScratch(purpose: string, root = tmpdir()): Promise<ScratchFolder> {
  const mine = `castle-${purpose}-${await pidNamespace()}-`;
  const path = await mkdtemp(join(root, `${mine}${pid}-${(await markOf(pid)) ?? ""}-`));
  // Nobody waits for it before the work is done.
  const swept = sweep(root, mine).catch(() => undefined);
  return {
    path,
    remove: async () => {
      await swept;
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function sweep(root: string, prefix: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(prefix)) continue;
    const [owner = "", mark] = name.slice(prefix.length).split("-");
    if (!/^\d+$/.test(owner) || (await markOf(Number(owner))) === mark) continue;
    // In a folder that all share it may be another user's.
    await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Tells a process from a later one of the same number; undefined: there is none. */
async function markOf(owner: number): Promise<string | undefined> {
  const identity = await identify(owner);
  if (identity === undefined) return undefined;
  return createHash("sha256").update(`${identity.boot} ${identity.started}`).digest("hex").slice(0, 12);
}

/** Whose pids these are: a process of another container looks as if it were not there. "0" where there is no /proc. */
async function pidNamespace(): Promise<string> {
  const link = await readlink("/proc/self/ns/pid").catch(() => "");
  return /\d+/.exec(link)?.[0] ?? "0";
}
