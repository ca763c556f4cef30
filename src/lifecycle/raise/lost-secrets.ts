import { CastleError } from "../../errors/castle-error.ts";
import { ownershipTag } from "../../infra/ownership.ts";
import { ProxmoxClient } from "../../infra/proxmox-client.ts";
import type { CastleRun } from "../castle-run.ts";

/**
 * Machines are only ever made once their castle's secrets are kept. Where there are machines and no secrets, those are
 * lost, and new ones would make a second castle that the first one's nodes do not obey.
 * @throws CastleError lifecycle/secrets-lost
 */
export async function refuseLostSecrets(
  run: Pick<CastleRun, "castle" | "ground" | "store" | "signal">,
): Promise<void> {
  const { castle, ground, store, signal } = run;
  if ((await store.get("talos-secrets")) !== undefined) return;
  const tag = ownershipTag(castle.name);
  const client = new ProxmoxClient(ground.proxmox);
  try {
    const ours = (await client.machines(signal)).filter(({ tags }) => tags.includes(tag));
    if (ours.length === 0) return;
    throw new CastleError("lifecycle/secrets-lost", {
      message: `${ours.map(({ name }) => name).join(", ")} stand, but ${store.description} does not hold the secrets that castle ${castle.name} was made with`,
      hint: "restore that file from your repository or backup; if the castle may go with all its data: castle down --yes, then castle up",
      details: {
        machines: ours.map(({ vmid, name, host }) => ({ vmid, name, host })),
        store: store.description,
      },
    });
  } finally {
    await client.close();
  }
}
