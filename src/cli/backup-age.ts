import { setTimeout as delay } from "node:timers/promises";
import { keptBackups } from "../backup/kept-backups.ts";
import type { BackupsExamination } from "../doctor/examination.ts";
import { CastleError } from "../errors/castle-error.ts";
import { backupShelf } from "./backup-shelf.ts";
import type { Context } from "./context.ts";
import type { SpecFile } from "./spec-file.ts";

/** Milliseconds that a bucket has to tell what it holds: an examination must not take long. */
const PATIENCE = 4_000;

/** What `castle health` is told of the backups; undefined where the spec has none. */
export async function examineBackups(
  context: Context,
  spec: SpecFile,
): Promise<BackupsExamination | undefined> {
  const { backup, name } = spec.castle;
  if (backup === undefined) return undefined;
  const late = AbortSignal.timeout(PATIENCE);
  const silent = { silent: `their place did not tell within ${PATIENCE / 1000} s` };
  const look = async (): Promise<BackupsExamination> => {
    const shelf = backupShelf(
      { ...context, signal: AbortSignal.any([context.signal, late]) },
      spec,
      undefined,
    );
    const kept = await keptBackups(shelf, name);
    const proved = kept.some(({ proof }) => proof !== undefined);
    return { place: shelf.description, newest: kept[0]?.taken, proved };
  };
  return Promise.race([look(), delay(PATIENCE, silent, { ref: false })]).catch((error: unknown) => {
    if (error instanceof CastleError && !context.signal.aborted) return { silent: error.message };
    if (late.aborted) return silent;
    throw error;
  });
}
