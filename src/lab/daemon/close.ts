import { rmdir } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import { endProcess } from "../../support/process-identity.ts";
import { lockHolder } from "../../support/process-lock.ts";
import type { LabFolders } from "../folders.ts";
import { removeLan } from "../lan/lan.ts";
import { type Leftover, census } from "../machine/census.ts";
import { removeSharedCgroup } from "../machine/cgroup.ts";
import { sweep } from "../machine/sweep.ts";
import { findLab } from "./launch.ts";
import { requireOwnOrLost } from "./owner.ts";

export interface CloseOptions {
  readonly folders: LabFolders;
  /** Disks, consoles and settings stay, and the next `lab up` starts again the machines that were on. */
  readonly keepDisks: boolean;
}

/**
 * Takes a lab away, running or crashed, and looks that nothing of it is left. Asked again it does nothing.
 * @throws CastleError lab/elsewhere, lab/leftovers, machine/will-not-die
 */
export async function closeLab({ folders, keepDisks }: CloseOptions): Promise<void> {
  const { lab, states, state, lanRun, sharedRun } = folders;
  await requireOwnOrLost(folders);
  const daemon = await lockHolder(folders.daemonLock);
  const running = await findLab(folders);
  // A daemon that cannot stop by itself is ended all the same, and what it leaves is swept.
  await running?.control.call("stop", {}).catch(() => undefined);
  if (daemon !== undefined) await endProcess(daemon.process, 10_000);
  // The state goes last: it remembers which kernel settings are to be restored.
  await sweep({ lab, states, state: "keep" });
  await removeLan({ lab, state, run: lanRun, shared: sharedRun });
  await sweep({ lab, states, state: keepDisks ? "keep" : "remove" });
  await removeSharedCgroup("/castle");
  await rmdir(sharedRun).catch(() => undefined);
  let left: readonly Leftover[] = [];
  await poll(
    async () => {
      left = await remaining(folders, keepDisks);
      return left.length === 0 ? true : undefined;
    },
    {
      every: 50,
      within: 5_000,
      onTimeout: () =>
        new CastleError("lab/leftovers", {
          message: `Lab ${lab} left behind: ${left.map((leftover) => JSON.stringify(leftover)).join(", ")}`,
          hint: `castle lab down ${lab} --yes`,
          details: { leftovers: left },
        }),
    },
  );
}

async function remaining(folders: LabFolders, keepDisks: boolean): Promise<readonly Leftover[]> {
  const found = await census({ labs: { name: folders.lab }, states: folders.states });
  return keepDisks ? found.filter(({ kind }) => kind !== "state") : found;
}
