import { createHash } from "node:crypto";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { openScratch } from "../support/scratch-folder.ts";
import type { RemoteName } from "./failure.ts";

/** A folder for the copy of a remote's branch, with what the last run left in it. */
export interface KeptCopy {
  readonly folder: string;
  /** Leaves the copy to the next run. Whoever was killed before keeps nothing. */
  giveBack(): Promise<void>;
}

/** Files in one of Git's 256 folders of objects, from which on Git itself would pack a repository (gc.auto: 6700). */
const WORN = 27;

/**
 * Takes the copy that the last run kept below `root`, so that only what is new has to be fetched. It moves to a folder of
 * this run's own: a second run at the same time finds none, and starts with an empty one. Both are made private.
 */
export async function takeCopy(root: string, { url, branch }: RemoteName): Promise<KeptCopy> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const scratch = await openScratch("manifests", root);
  const folder = join(scratch.path, "manifests.git");
  const kept = join(
    root,
    `${createHash("sha256").update(`${url}\n${branch}`).digest("hex").slice(0, 16)}.git`,
  );
  // There is none yet, or another run has it.
  await rename(kept, folder).catch(() => undefined);
  return {
    folder,
    giveBack: async () => {
      // Another run may have been faster, and then this one goes.
      if (!(await isWorn(folder))) await rename(folder, kept).catch(() => undefined);
      await scratch.remove();
    },
  };
}

/** Objects come in with each run and none goes: such a copy is fetched anew, which packs it. */
async function isWorn(folder: string): Promise<boolean> {
  return (await readdir(join(folder, "objects", "17")).catch(() => [])).length > WORN;
}
