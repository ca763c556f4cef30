import { soleAnswer } from "./answer.ts";
import { calls } from "./calls.ts";
import type { CallSettings, TalosClient } from "./client.ts";

/** What a service has been through; times are the node's own. A node remembers its last 64 events. */
export interface ServiceHistory {
  readonly state: string;
  /** When it came into that state; undefined: before what the node remembers. */
  readonly since: Date | undefined;
  /** When Talos last started it; a program that ends and is run again is not started anew. */
  readonly started: Date | undefined;
}

/** Undefined: the node has no such service. @throws CastleError talos/… */
export async function serviceHistory(
  client: TalosClient,
  id: string,
  settings: CallSettings = {},
): Promise<ServiceHistory | undefined> {
  const answer = soleAnswer(client, "ServiceList", await client.call(calls.serviceList, {}, settings));
  const service = answer.services.find((one) => one.id === id);
  if (service === undefined) return undefined;
  const events = (service.events?.events ?? []).map(({ state, ts }) => ({
    state,
    at: ts === null ? undefined : new Date(Number(ts.seconds) * 1000 + ts.nanos / 1_000_000),
  }));
  const other = events.findLastIndex(({ state }) => state !== service.state);
  return {
    state: service.state,
    since: events[other + 1]?.at,
    started: events.findLast(({ state }) => state === "Starting")?.at,
  };
}
