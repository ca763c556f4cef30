import { secondsSinceAdded } from "../../ghosts/complaints.ts";
import type { EtcdTestimony, Member } from "../../ghosts/testimony.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { TalosClient } from "../../talos/client.ts";
import { type EtcdMember, etcdStatus } from "../../talos/etcd.ts";
import { nodeClock } from "../../talos/clock.ts";
import type { Ground } from "../ground/ground.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { type NodeWitness, readLog } from "./node-testimony.ts";
import type { Patience } from "./witness.ts";

const APID_PORT = 50_000;
/** Milliseconds for a machine that nobody knows to say that it lives. */
const STRANGER = 1_000;

/** Who is asked about members that need a second question. */
interface Inquiry {
  readonly ground: Ground;
  readonly clients: NodeClients;
  readonly patience: Patience;
}

/**
 * One list of members out of all that were told; etcd answers it with a quorum behind it or not at all. What is not to be
 * read from a list is asked of a member's log and of the strangers themselves. Undefined: nobody told one.
 */
export async function etcdTestimony(
  inquiry: Inquiry,
  witnesses: readonly NodeWitness[],
): Promise<EtcdTestimony | undefined> {
  const told = witnesses.flatMap(({ node, testimony, members }) =>
    members === undefined ? [] : [{ node, members, version: testimony.etcd?.version ?? "" }],
  );
  const chosen = told.toSorted(
    (left, right) =>
      release(left.version) - release(right.version) || supporters(right, told) - supporters(left, told),
  )[0];
  if (chosen === undefined) return undefined;
  const { patience, clients } = inquiry;
  const unstarted = chosen.members.filter(({ name }) => name === "");
  const addresses = new Set(witnesses.map(({ node }) => node.address));
  const strangers = chosen.members.filter(
    ({ name, peerUrls }) => name !== "" && !peerUrls.some((url) => addresses.has(new URL(url).hostname)),
  );
  const [ages, living] = await Promise.all([
    unstarted.length === 0 ? undefined : patience.told(agesOf(clients, chosen.node, unstarted, patience)),
    Promise.all(strangers.map(async (member) => [member.id, await lives(inquiry, member)] as const)),
  ]);
  const healthy = new Map(living);
  return {
    agreed: true,
    members: chosen.members.map((member): Member => {
      const well = healthy.get(member.id);
      return {
        id: member.id,
        name: member.name,
        peers: member.peerUrls.map((url) => new URL(url).hostname),
        learner: member.learner,
        seconds: ages?.get(member.id),
        ...(well === undefined ? {} : { healthy: well }),
      };
    }),
    contradictions: told
      .filter(({ members }) => idsOf(members) !== idsOf(chosen.members))
      .map(({ node, members }) => ({ node: node.name, members: members.map(({ id }) => id) })),
  };
}

interface ToldList {
  readonly members: readonly EtcdMember[];
}

/** etcd 3.6 reads another store than 3.5 did: where both are there, the older ones are right. Minor version as a number. */
function release(version: string): number {
  return Number(version.split(".")[1] ?? Number.NaN) || Number.MAX_SAFE_INTEGER;
}

function supporters({ members }: ToldList, told: readonly ToldList[]): number {
  return told.filter((other) => idsOf(other.members) === idsOf(members)).length;
}

function idsOf(members: readonly EtcdMember[]): string {
  return members
    .map(({ id }) => id)
    .toSorted()
    .join();
}

/**
 * Lines of etcd's log, which has some a second, and a hundred where requests are slow: half a minute of them, after which
 * nobody joins any more. All of it, on a busy machine, would take longer than a look may.
 */
const AGE_TAIL = 4_000;

/** Seconds since each was added, by the log of a member that was there. */
async function agesOf(
  clients: NodeClients,
  teller: CastleNode,
  members: readonly EtcdMember[],
  patience: Patience,
): Promise<ReadonlyMap<string, number | undefined>> {
  const client = await clients.trusted(teller);
  const [now, log] = await Promise.all([
    nodeClock(client, patience.settings()),
    readLog(client, "etcd", patience, AGE_TAIL),
  ]);
  return new Map(
    members.map(({ id }) => [id, now === undefined ? undefined : secondsSinceAdded(log, id, now)]),
  );
}

/** Whether a machine that the spec does not know takes part in votes; it has this castle's certificates, if it does. */
async function lives({ ground, clients, patience }: Inquiry, { id, peerUrls }: EtcdMember): Promise<boolean> {
  const [url] = peerUrls;
  if (url === undefined) return false;
  const address = new URL(url).hostname;
  const asked = async () => {
    const endpoint = await ground.reach(address, APID_PORT);
    const client = new TalosClient({ endpoint, name: address, credentials: clients.credentials });
    try {
      return await etcdStatus(client, patience.settings(STRANGER));
    } finally {
      client.close();
    }
  };
  const status = await patience.told(asked());
  return status?.id === id && !status.learner && status.leader !== undefined;
}
