import type { CastleRun } from "../castle-run.ts";
import { keepCertificates } from "../certificates/before-down.ts";
import { type Raised, up } from "../up.ts";
import { changeIdentity } from "./new-identity.ts";
import { reset } from "./reset.ts";

/**
 * Reset and up: the same castle on empty disks, its secrets restored from the store, or with new ones. Killed at any
 * moment and run again it wipes what is not empty and goes on; a castle that has no credentials yet has nothing to wipe.
 */
export async function rebuild(
  run: CastleRun,
  { newIdentity }: { readonly newIdentity: boolean } = { newIdentity: false },
): Promise<Raised> {
  if ((await run.store.get("talosconfig")) !== undefined) {
    await keepCertificates(run);
    await reset(run);
  }
  if (newIdentity) await changeIdentity(run);
  return up(run);
}
