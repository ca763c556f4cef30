import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

export interface MachineService {
  /** For example etcd, kubelet, apid. */
  readonly id: string;
  /** Talos' word, for example Running, Preparing, Waiting, Finished. */
  readonly state: string;
  /** Services without a health check say "unknown". */
  readonly health: "healthy" | "unhealthy" | "unknown";
  /** What the service last said of itself: why it waits, or what its health check found. */
  readonly message: string;
}

/** The services of a node, in the order of their names. */
export async function services(client: TalosClient, settings: CallSettings = {}): Promise<MachineService[]> {
  const answer = soleAnswer(client, "ServiceList", await client.call(calls.serviceList, {}, settings));
  return answer.services
    .map(({ id, state, events, health }) => {
      const healthy = health?.healthy === true ? ("healthy" as const) : ("unhealthy" as const);
      const verdict = health === null || health.unknown ? ("unknown" as const) : healthy;
      const complaint = verdict === "unhealthy" ? (health?.lastMessage ?? "") : "";
      return {
        id,
        state,
        health: verdict,
        message: complaint === "" ? (events?.events.at(-1)?.msg ?? "") : complaint,
      };
    })
    .sort((left, right) => (left.id < right.id ? -1 : 1));
}

/**
 * Ends a service and starts it again; Talos allows it for the kubelet, not for etcd, apid or trustd.
 * @throws CastleError talos/…
 */
export async function restartService(
  client: TalosClient,
  id: string,
  settings: CallSettings = {},
): Promise<void> {
  soleAnswer(client, "ServiceRestart", await client.call(calls.serviceRestart, { id }, settings));
}
