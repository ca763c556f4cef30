import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { webhookSecret } from "../../platform/monitoring/alertmanager.ts";
import { monitoringNamespace } from "../../platform/monitoring/monitoring.ts";
import { isMonitored } from "../../spec/monitoring.ts";
import { Secret } from "../../support/secret.ts";
import type { CastleRun } from "../castle-run.ts";

/**
 * The Secret with the address that alerts go to, and the namespace that it lies in, which Flux takes over later.
 * @param given an address that the caller was told outside of the spec; it is kept from then on
 * @throws CastleError platform/webhook-unknown, secrets/…
 */
export async function webhookObjects(
  { castle, store }: Pick<CastleRun, "castle" | "store">,
  given: Secret | undefined,
): Promise<readonly KubernetesObject[]> {
  const told = castle.monitoring?.webhook;
  if (told === undefined || !isMonitored(castle)) return [];
  const address = told === "secret" ? await keptAddress(store, given) : new Secret(told);
  return [monitoringNamespace(), webhookSecret(address.reveal())];
}

async function keptAddress(store: CastleRun["store"], given: Secret | undefined): Promise<Secret> {
  if (given !== undefined) await store.put({ "monitoring-webhook": given });
  const address = given ?? (await store.get("monitoring-webhook"));
  if (address !== undefined) return address;
  throw new CastleError("platform/webhook-unknown", {
    message: `castle.yaml says that the secret store holds the webhook's address, and ${store.description} has none`,
    hint: "CASTLE_MONITORING_WEBHOOK=https://… castle up: once is enough, the store keeps it",
  });
}
