import type { CallSettings, TalosClient } from "./client.ts";
import { addressStatuses } from "./kinds.ts";
import { listResources } from "./resources.ts";

/** Whether the node holds this address now. @throws CastleError talos/… */
export async function holdsAddress(
  client: TalosClient,
  address: string,
  settings: CallSettings = {},
): Promise<boolean> {
  const held = await listResources(client, addressStatuses, settings);
  return held.some(({ spec }) => spec.address.startsWith(`${address}/`));
}
