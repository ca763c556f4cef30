import { readFile, stat } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import type { EditedSpec } from "../../spec/edit/spec-edit.ts";
import type { CastleRun } from "../castle-run.ts";
import { edited } from "./ledger.ts";
import { changeLedger } from "./ledger-file.ts";

/** An edit of castle.yaml that is decided and not yet written. */
export interface SpecMove extends EditedSpec {
  readonly path: string;
  /** What the edit was made from. */
  readonly before: string;
}

/**
 * Writes the edited castle.yaml, whole or not at all, and only over the text that it was made from.
 * @throws CastleError spec/changed
 */
export async function writeSpec(
  { home }: Pick<CastleRun, "home">,
  { path, before, text }: SpecMove,
): Promise<void> {
  if (before === text) return;
  const now = await readFile(path, "utf8");
  if (now === text) return;
  if (now !== before) {
    throw new CastleError("spec/changed", {
      message: `${path} was changed by somebody else while castle was at work, and is not written over`,
      hint: "the same command again reads it anew",
    });
  }
  // First the way back: a kill in between leaves one that nobody comes by.
  await changeLedger(home, (ledger) => edited(ledger, { before, after: text }));
  await writeFileAtomic(path, text, (await stat(path)).mode % 0o1000);
}

/** The same run for the castle of an edited spec, on the same ground. */
export function runFor(run: CastleRun, { castle }: Pick<EditedSpec, "castle">): CastleRun {
  return { ...run, castle, ground: run.ground.of(castle) };
}
