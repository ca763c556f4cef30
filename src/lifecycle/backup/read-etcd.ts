import { databaseOf } from "../../backup/snapshot/integrity.ts";
import { EtcdHistory } from "../../backup/snapshot/history.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Castle, CastleNode } from "../../spec/castle.ts";
import { memberStatus } from "../quorum/ballot.ts";
import { etcdSnapshot } from "../../talos/etcd-snapshot.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import { isFailure } from "../../errors/failure.ts";

export interface EtcdReading {
  /** The control plane that it came from. */
  readonly node: CastleNode;
  /** The database and its hash, checked. */
  readonly snapshot: Buffer;
  readonly history: EtcdHistory;
}

/**
 * etcd as its furthest member holds it; without quorum too. A member that breaks off is passed over for the next.
 * @throws CastleError talos/unreachable where no member answers, backup/damaged where none sent all of it
 */
export async function readEtcd(
  castle: Castle,
  clients: NodeClients,
  signal: AbortSignal,
): Promise<EtcdReading> {
  const members = await furthestFirst(castle, clients, signal);
  let failure: unknown;
  for (const node of members) {
    try {
      const snapshot = await etcdSnapshot(await clients.trusted(node), { signal });
      return { node, snapshot, history: historyOf(snapshot, node.name) };
    } catch (error) {
      if (!isFailure(error)) throw error;
      failure = error;
    }
  }
  throw failure instanceof Error ? failure : noMember(castle);
}

/** What a snapshot holds. @throws CastleError backup/damaged */
export function historyOf(snapshot: Buffer, name: string): EtcdHistory {
  const database = databaseOf(snapshot, name);
  try {
    return new EtcdHistory(database);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CastleError("backup/damaged", {
      message: `The etcd snapshot of ${name} cannot be read: ${cause.message}`,
      cause,
    });
  }
}

async function furthestFirst(
  castle: Castle,
  clients: NodeClients,
  signal: AbortSignal,
): Promise<readonly CastleNode[]> {
  const told = await Promise.all(
    controlPlanes(castle).map(async (node) => {
      const status = await memberStatus(clients, node, signal);
      return status === undefined || status.learner ? [] : [{ node, index: status.raftIndex }];
    }),
  );
  return told
    .flat()
    .toSorted((one, other) => Number(other.index - one.index))
    .map(({ node }) => node);
}

function noMember(castle: Castle): CastleError {
  return new CastleError("talos/unreachable", {
    message: `No control plane of castle ${castle.name} has an etcd that tells anything`,
    hint: "castle health; where etcd is lost, castle restore puts the newest backup back",
  });
}
