import { CastleError } from "../../errors/castle-error.ts";
import { noAnswer } from "../../errors/failure.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { pollWithin } from "../../support/poll.ts";
import { clusterIdentity } from "../../talos/cluster-identity.ts";
import { type DiscoveryPlace, forgetAffiliate, forgetAll, knownAffiliates } from "../../talos/discovery.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { knownMembers } from "./memory.ts";

/** Talos' own, where neither the castle nor its ground names one. */
const PUBLIC = "https://discovery.talos.dev/";

/** Makes discovery forget a node whose machine is gone. */
export function forgetInDiscovery(
  run: CastleRun,
  clients: NodeClients,
  node: Pick<CastleNode, "name" | "address">,
): Promise<{ detail: string }> {
  return askedToForget(run, async (place) => {
    const known = (await knownMembers(run, clients, node.name)) ?? [];
    const own = known.filter(
      ({ spec }) => spec.hostname === node.name || spec.addresses.includes(node.address),
    );
    await Promise.all(own.map(({ spec }) => forgetAffiliate(place, spec.nodeId)));
    return own.length === 0 ? "discovery did not know it" : "discovery, too";
  });
}

/**
 * Makes discovery forget the whole castle, whose nodes are empty or gone: nodes that come with the same secrets would
 * look for etcd at the old addresses, each in vain for half a minute.
 */
export function forgetCastle(run: CastleRun): Promise<{ detail: string }> {
  return askedToForget(run, async (place) => {
    const known = await forgetAll(place);
    return known === 0 ? "it knew nobody" : `${known} nodes`;
  });
}

/**
 * Gives a node its configuration, and waits until discovery knows one more than before: this node, where no other is new.
 * A help: where discovery does not answer, nobody waits.
 * @param within milliseconds
 */
export async function discovered<T>(run: CastleRun, within: number, give: () => Promise<T>): Promise<T> {
  const place = await discoveryPlace(run);
  const known = async () => (place === undefined ? undefined : knownAffiliates(place).catch(noAnswer));
  const before = new Set(await known());
  const given = await give();
  const arrived = async () => {
    const now = await known();
    return now === undefined || now.some((id) => !before.has(id)) ? true : undefined;
  };
  await pollWithin(arrived, { every: 50, within, signal: run.signal });
  return given;
}

/** A help: what is not forgotten now is so in 30 minutes, so a refusal is told and stops nothing. */
async function askedToForget(
  run: CastleRun,
  forget: (place: DiscoveryPlace) => Promise<string>,
): Promise<{ detail: string }> {
  const place = await discoveryPlace(run);
  if (place === undefined) return { detail: "discovery is off" };
  try {
    return { detail: await forget(place) };
  } catch (error) {
    if (!(error instanceof CastleError)) throw error;
    return { detail: error.message };
  }
}

async function discoveryPlace({ castle, ground, store }: CastleRun): Promise<DiscoveryPlace | undefined> {
  const named = castle.talos.discovery ?? ground.nodes.discovery ?? PUBLIC;
  const bundle = await store.get("talos-secrets");
  if (named === "off" || bundle === undefined) return undefined;
  const { hostname, port, protocol } = new URL(named);
  const secure = protocol === "https:";
  return {
    endpoint: await ground.reach(hostname, port === "" ? (secure ? 443 : 80) : Number(port)),
    serverName: secure ? hostname : undefined,
    cluster: clusterIdentity(bundle).id,
  };
}
