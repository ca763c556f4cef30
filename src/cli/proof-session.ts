import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openBackup } from "../backup/archive.ts";
import { writeProof } from "../backup/kept-backups.ts";
import type { Report } from "../journal/step.ts";
import { runStep } from "../journal/step.ts";
import { closeLab } from "../lab/daemon/close.ts";
import { partSets } from "../lab/parts/part-sets.ts";
import { type Proof, proveBackup } from "../lifecycle/backup/prove.ts";
import { throwawayOf } from "../lifecycle/backup/throwaway.ts";
import { castleHome } from "../lifecycle/home.ts";
import { withLock } from "../lifecycle/lock.ts";
import { type BackupPlace, readBackup } from "./backup-shelf.ts";
import type { Context } from "./context.ts";
import { foldersOf } from "./lab-folders.ts";
import { assertRoot, labExists } from "./lab-session.ts";
import { ensureLabParts } from "./parts-session.ts";
import { userIdentity } from "./secret-store.ts";
import { changeCastle } from "./session.ts";
import type { SpecFile } from "./spec-file.ts";
import { sha256 } from "../support/sha256.ts";

export interface Proving {
  readonly spec: SpecFile;
  readonly report: Report;
  /** Milliseconds; see CastleRun. */
  readonly patience: number;
  readonly installTools: boolean;
}

/** Whether every object came back, and the API serves them all. */
export function isProved({ difference, served }: Proof): boolean {
  const { missing, changed, added } = difference;
  return [missing, changed, added, served.refused, served.unseen].every(({ length }) => length === 0);
}

/**
 * Restores a backup from its place into a castle of its own beside the one that runs, in a lab on this machine, and
 * takes that castle away again, however it went. A backup that stood the test is marked as proved.
 */
export async function proveOnThrowaway(
  context: Context,
  { spec, report, patience, installTools }: Proving,
  place: BackupPlace,
): Promise<Proof> {
  assertRoot(context);
  const castle = throwawayOf(spec.castle);
  await ensureLabParts(context, partSets(castle), { report, installTools });
  const sealed = await readBackup(place);
  const backup = await openBackup(sealed, await userIdentity(context, place.name), place.name);
  const home = await castleHome(spec.folder, spec.castle.name);
  const folder = join(home.folder, "proof");
  const throwaway: SpecFile = { castle, folder, path: join(folder, "castle.yaml"), text: "" };
  return withLock(join(home.folder, "proof.lock"), "backup --prove", async () => {
    // What a killed proof left.
    await takeAway(context, throwaway);
    try {
      const proof = await changeCastle(context, { spec: throwaway, verb: "prove", report, patience }, (run) =>
        proveBackup(run, backup),
      );
      if (isProved(proof)) {
        const objects = proof.difference.same;
        const at = context.now().toISOString();
        await writeProof(place.shelf, place.name, { sha256: sha256(sealed), at, objects });
      }
      return proof;
    } finally {
      await runStep(report, { id: "away", title: "The throwaway castle taken away" }, async () => {
        await takeAway(context, throwaway);
        return undefined;
      });
    }
  });
}

async function takeAway(context: Context, { castle, folder }: SpecFile): Promise<void> {
  if (await labExists(context, castle.name)) {
    await closeLab({ folders: foldersOf(context, castle.name), keepDisks: false });
  }
  await rm(folder, { recursive: true, force: true });
}
