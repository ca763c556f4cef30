import { connectCluster } from "../../kubernetes/cluster.ts";
import { members } from "../../talos/kinds.ts";
import { type Resource, listResources } from "../../talos/resources.ts";
import type { CastleRun } from "../castle-run.ts";
import { hasAddress, membersFromAny } from "../quorum/ballot.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import type { Lease } from "./ledger.ts";
import { noAnswer } from "../../errors/failure.ts";
import { firstAnswer } from "../../errors/first-answer.ts";

/** Milliseconds that one node has to tell what it knows. */
const PATIENCE = 3_000;

interface Asked {
  readonly run: CastleRun;
  readonly clients: NodeClients;
  /** As `connectCluster` makes it; undefined: there is nobody to ask. */
  readonly cluster: ReturnType<typeof connectCluster> | undefined;
}

/**
 * Who still takes that address for the node that had it, in sentences; nobody: the address is free again. Who does not
 * answer remembers nothing that could be asked: where no etcd answers, there is none that a ghost could be in.
 */
export async function whoRemembers(asked: Asked, { name, address }: Lease): Promise<readonly string[]> {
  const { run, clients, cluster } = asked;
  const [etcd, discovery, nodes] = await Promise.all([
    membersFromAny(run, clients),
    knownMembers(run, clients, name),
    cluster?.nodes(run.signal).catch(noAnswer),
  ]);
  return [
    ...(etcd ?? [])
      .filter((member) => hasAddress(member, address))
      .map(
        (member) =>
          `etcd has the member ${member.id} (${member.name === "" ? "never started" : member.name}) there`,
      ),
    ...(discovery ?? [])
      .filter(({ spec }) => spec.addresses.includes(address))
      .map(({ spec }) => `discovery tells of ${spec.hostname} there`),
    ...(nodes ?? [])
      .filter((node) => node.address === address)
      .map((node) => `Kubernetes has the Node ${node.name} there`),
  ];
}

type KnownMember = Resource<{ nodeId: string; hostname: string; addresses: string[] }>;

/** What the first node that answers has from discovery; the node itself is not asked about itself. */
export async function knownMembers(
  { castle, signal }: Pick<CastleRun, "castle" | "signal">,
  clients: NodeClients,
  except: string,
): Promise<readonly KnownMember[] | undefined> {
  const others = castle.nodes.filter(({ name }) => name !== except);
  const asked = others.map(async (node) =>
    listResources(await clients.trusted(node), members, { signal, deadline: PATIENCE }),
  );
  return firstAnswer(asked);
}
