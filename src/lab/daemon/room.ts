import { mkdir, statfs } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import type { LabFolders } from "../folders.ts";

const MIB = 1024 ** 2;
/** A new lab copies its images where it cannot link them; one that was there before only writes its logs. */
const ROOM = { fresh: 2048 * MIB, kept: 128 * MIB };

/**
 * Looks for room before a lab's daemon starts; what machines need is looked at when they are made.
 * @throws CastleError lab/disk-full
 */
export async function requireRoom({ lab, states }: LabFolders, age: keyof typeof ROOM): Promise<void> {
  await mkdir(states, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(states);
  const free = bavail * bsize;
  const wanted = ROOM[age];
  if (free >= wanted) return;
  throw new CastleError("lab/disk-full", {
    message: `Lab ${lab} needs ${wanted / MIB} MiB in ${states}, and ${Math.floor(free / MIB)} MiB are free`,
    hint: "free some disk (castle parts prune), or name another folder with CASTLE_LABS",
    details: { free, wanted },
  });
}
