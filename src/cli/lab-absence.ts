import { CastleError } from "../errors/castle-error.ts";
import { census } from "../lab/machine/census.ts";
import type { Context } from "./context.ts";
import { machinesOnDisk } from "./lab-choice.ts";
import { foldersOf } from "./lab-folders.ts";

/**
 * Why a castle's lab does not answer, and what brings it back: its daemon died while its machines run on, it was taken
 * down with its disks kept, or it was never there.
 */
export async function labAbsence(context: Context, name: string, lab: string): Promise<CastleError> {
  const folders = foldersOf(context, lab);
  const [left, machines] = await Promise.all([
    census({ labs: { name: lab }, states: folders.states }),
    machinesOnDisk(folders),
  ]);
  const running = left.some(({ kind }) => kind === "process");
  if (running || machines.length > 0) {
    const state = running
      ? "has no daemon, though something of it still runs: it crashed"
      : `is not up; the disks of ${machines.length} machines are kept`;
    return new CastleError("lab/not-running", {
      message: `Castle ${name} does not answer: its lab ${lab} ${state}`,
      hint: `castle lab up ${lab} brings it back with its machines`,
    });
  }
  return new CastleError("lifecycle/not-raised", {
    message: `Castle ${name} is not raised: its lab is not up`,
    hint: "castle up",
  });
}
