import { readdir } from "node:fs/promises";
import { CastleError } from "../errors/castle-error.ts";
import type { LabFolders } from "../lab/folders.ts";
import { machinesFolder } from "../lab/machine/names.ts";
import type { Castle, LabHypervisor } from "../spec/castle.ts";
import type { Context } from "./context.ts";
import { foldersOf } from "./lab-folders.ts";
import { readSpecFile } from "./spec-file.ts";

/** The lab that a command means: LAB where it is given, else that of the spec. @throws CastleError spec/…, lab/none */
export async function labOf(
  context: Context,
  { file, lab }: { readonly file: string; readonly lab: string | undefined },
): Promise<LabFolders> {
  if (lab !== undefined) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(lab)) {
      throw new CastleError("lan/name-invalid", {
        message: `${lab} cannot be a lab's name: lower-case letters, digits and hyphens, a letter first`,
      });
    }
    return foldersOf(context, lab);
  }
  const { castle } = await readSpecFile(context, file);
  return foldersOf(context, labHypervisor(castle, file).lab);
}

/** A lab that does not exist yet takes network and hosts from the spec; LAB gives it another name. */
export async function specOfLab(
  context: Context,
  file: string,
  lab: string,
): Promise<{ readonly castle: Castle; readonly hypervisor: LabHypervisor }> {
  const { castle } = await readSpecFile(context, file);
  return { castle, hypervisor: { ...labHypervisor(castle, file), lab } };
}

/** @throws CastleError lab/none */
function labHypervisor({ hypervisor }: Castle, file: string): LabHypervisor {
  if (hypervisor.kind === "lab") return hypervisor;
  throw new CastleError("lab/none", {
    message: `${file} describes a castle on a rack: it has no lab`,
    hint: "castle init -f lab.yaml writes a spec for a lab; -f FILE names another",
  });
}

/** VM ids of the machines whose disks are on this host, whether the lab is up or not. */
export async function machinesOnDisk({ state }: LabFolders): Promise<readonly number[]> {
  const names = await readdir(machinesFolder(state)).catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
