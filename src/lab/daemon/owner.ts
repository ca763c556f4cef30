import { readFile, stat } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import { type LabFolders, labFolders } from "../folders.ts";

/** Notes, for as long as the host runs, whose lab it is: two of one name would share namespaces and cgroups. */
export async function noteOwner({ owner, states }: LabFolders): Promise<void> {
  await writeFileAtomic(owner, states);
}

/** The folder of states whose lab of this name is on the host, up or interrupted; undefined where none is. */
export async function ownerOf({ owner }: LabFolders): Promise<string | undefined> {
  return readFile(owner, "utf8").catch(() => undefined);
}

/** @throws CastleError lab/elsewhere where the name is taken by a lab with its state in another folder */
export async function requireOwn(folders: LabFolders): Promise<void> {
  const states = await ownerOf(folders);
  if (states !== undefined && states !== folders.states) throw elsewhere(folders.lab, states);
}

/** As {@link requireOwn}, but a lab whose state was deleted under it is nobody's: whoever asks may take it away. */
export async function requireOwnOrLost(folders: LabFolders): Promise<void> {
  const states = await ownerOf(folders);
  if (states === undefined || states === folders.states) return;
  const kept = await stat(labFolders(states, folders.lab).state).catch(() => undefined);
  if (kept !== undefined) throw elsewhere(folders.lab, states);
}

function elsewhere(lab: string, states: string): CastleError {
  return new CastleError("lab/elsewhere", {
    message: `Lab ${lab} is on this host already, with its state in ${states}`,
    hint: `give the lab another name in castle.yaml, or take that one away: CASTLE_LABS=${states} castle lab down ${lab} --yes`,
    details: { lab, states },
  });
}
