import type { Electorate } from "../../quorum/standing.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import { type EtcdMember, type EtcdStatus, etcdMembers, etcdStatus } from "../../talos/etcd.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { noAnswer } from "../../errors/failure.ts";
import { firstAnswer } from "../../errors/first-answer.ts";

/** Milliseconds that a control plane has to say what it believes. */
const PATIENCE = 3_000;

/** Who votes now, as the cluster agrees on it, and whose vote counts, as each control plane says of itself. */
export interface Ballot {
  readonly electorate: Electorate;
  readonly members: readonly EtcdMember[];
}

export type BallotRun = Pick<CastleRun, "castle" | "signal">;

/** @returns undefined where no control plane tells its members: there is no etcd, or it has no quorum */
export async function ballotOf(run: BallotRun, clients: NodeClients): Promise<Ballot | undefined> {
  const members = await membersFromAny(run, clients);
  if (members === undefined) return undefined;
  const healthy = new Set(
    (await Promise.all(controlPlanes(run.castle).map((node) => healthyMember(run, clients, node)))).flat(),
  );
  const counted = (learner: boolean) =>
    members
      .filter((member) => member.learner === learner)
      .map(({ id }) => ({ id, healthy: healthy.has(id) }));
  return { electorate: { voters: counted(false), learners: counted(true) }, members };
}

/** What the cluster agrees on, from the first control plane that answers; undefined: none does. */
export async function membersFromAny(
  { castle, signal }: BallotRun,
  clients: NodeClients,
): Promise<EtcdMember[] | undefined> {
  const asked = controlPlanes(castle).map(async (node) =>
    etcdMembers(await clients.trusted(node), { signal, deadline: PATIENCE }),
  );
  return firstAnswer(asked);
}

/** The member that is this node's: by its name, or by its address while it has none. */
export function memberOf({ members }: Pick<Ballot, "members">, node: CastleNode): EtcdMember | undefined {
  return (
    members.find(({ name }) => name === node.name) ??
    members.find((member) => hasAddress(member, node.address))
  );
}

export function hasAddress({ peerUrls }: EtcdMember, address: string): boolean {
  return peerUrls.some((url) => URL.canParse(url) && new URL(url).hostname === address);
}

/** The member's id where its own node says that it follows a leader and nothing is wrong; otherwise none. */
async function healthyMember(
  { signal }: BallotRun,
  clients: NodeClients,
  node: CastleNode,
): Promise<readonly string[]> {
  const status = await memberStatus(clients, node, signal);
  return status?.leader !== undefined && status.errors.length === 0 ? [status.id] : [];
}

/** What a control plane's etcd says of itself; undefined: it says nothing. */
export async function memberStatus(
  clients: NodeClients,
  node: CastleNode,
  signal: AbortSignal,
): Promise<EtcdStatus | undefined> {
  const asked = async () => etcdStatus(await clients.trusted(node), { signal, deadline: PATIENCE });
  return asked().catch(noAnswer);
}
