import { CastleError } from "../errors/castle-error.ts";
import { findLab } from "../lab/daemon/launch.ts";
import type { Ground } from "../lifecycle/ground/ground.ts";
import { labGround } from "../lifecycle/ground/lab.ts";
import type { Castle } from "../spec/castle.ts";
import { Secret } from "../support/secret.ts";
import type { Context } from "./context.ts";
import { foldersOf } from "./lab-folders.ts";

/** The ground if it is there without starting anything: a lab that is not up gives undefined. */
export async function findGround(context: Context, castle: Castle): Promise<Ground | undefined> {
  const { hypervisor } = castle;
  if (hypervisor.kind === "proxmox") {
    // A lab's commands have no use for Proxmox' client, nor the time to load it.
    const { rackGround } = await import("../lifecycle/ground/rack.ts");
    return rackGround(castle, hypervisor, proxmoxToken(context));
  }
  const lab = await findLab(foldersOf(context, hypervisor.lab));
  return lab === undefined ? undefined : labGround(castle, hypervisor, lab);
}

/** The ground of a castle that stands. @throws CastleError lifecycle/not-raised, lab/not-running */
export async function standingGround(context: Context, castle: Castle): Promise<Ground> {
  const ground = await findGround(context, castle);
  if (ground !== undefined) return ground;
  const { name, hypervisor } = castle;
  const { labAbsence } = await import("./lab-absence.ts");
  throw await labAbsence(context, name, hypervisor.kind === "lab" ? hypervisor.lab : name);
}

export function proxmoxToken({ env }: Context): Secret {
  const token = env["PROXMOX_VE_API_TOKEN"];
  if (token !== undefined && token !== "") return new Secret(token);
  throw new CastleError("infra/token-missing", {
    message: "PROXMOX_VE_API_TOKEN is not set: castle speaks to Proxmox with an API token",
    hint: "pveum user token add USER@REALM castle --privsep 0, then: export PROXMOX_VE_API_TOKEN='USER@REALM!castle=SECRET'",
  });
}
