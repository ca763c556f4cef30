import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import { memberStatus } from "../quorum/ballot.ts";
import type { NodeClients } from "../raise/node-clients.ts";

/** Milliseconds. A leader that hears of nobody steps down after its election timeout, 1 s with Talos' settings. */
const PATIENCE = 6_000;

/**
 * The control plane whose etcd leads others. It is the last to be wiped: an etcd that is ended while it leads tries for
 * seven seconds to hand on its lead (etcd: the request's timeout), in vain where the others end as well.
 */
export async function leaderAmong(
  nodes: readonly CastleNode[],
  clients: NodeClients,
  signal: AbortSignal,
): Promise<CastleNode | undefined> {
  const planes = nodes.filter(({ role }) => role === "controlplane");
  if (planes.length < 2) return undefined;
  const leads = await Promise.all(planes.map((node) => leadsNow(node, clients, signal)));
  return planes.find((_, index) => leads[index]);
}

/** Waits until it leads no more, because nobody is left to follow it. A help: one that still leads only ends later. */
export async function untilDeposed(
  leader: CastleNode,
  clients: NodeClients,
  signal: AbortSignal,
): Promise<void> {
  const stillLeads = new Error("it still leads");
  await poll(async () => ((await leadsNow(leader, clients, signal)) ? undefined : true), {
    every: 200,
    within: PATIENCE,
    signal,
    onTimeout: () => stillLeads,
  }).catch((error: unknown) => {
    if (error !== stillLeads) throw error;
  });
}

async function leadsNow(node: CastleNode, clients: NodeClients, signal: AbortSignal): Promise<boolean> {
  const status = await memberStatus(clients, node, signal);
  return status !== undefined && status.leader === status.id;
}
