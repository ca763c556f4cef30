import { readFile, rm } from "node:fs/promises";
import type { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { LabFolders } from "../folders.ts";
import { refusalError, refusalOf } from "./refusal.ts";

/** Tells whoever started this daemon why it did not come up. */
export async function writeFailure({ failure }: LabFolders, error: unknown): Promise<void> {
  await writeFileAtomic(failure, `${JSON.stringify(refusalOf(error, "lab/start-failed"))}\n`);
}

export async function forgetFailure({ failure }: LabFolders): Promise<void> {
  await rm(failure, { force: true });
}

/** Undefined: the daemon ended without a word. */
export async function readFailure({ failure }: LabFolders): Promise<CastleError | undefined> {
  const text = await readFile(failure, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return refusalError(JSON.parse(text), "lab/start-failed");
  } catch {
    return undefined;
  }
}
