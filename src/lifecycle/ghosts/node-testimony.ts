import { CastleError } from "../../errors/castle-error.ts";
import { complaintsOfEtcd, complaintsOfTalos } from "../../ghosts/complaints.ts";
import type { Affiliate, Complaint, EtcdService, NodeTestimony } from "../../ghosts/testimony.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { TalosClient } from "../../talos/client.ts";
import { type EtcdMember, etcdAlarms, etcdMembers, etcdStatus } from "../../talos/etcd.ts";
import { hostnames, members as discoveryMembers } from "../../talos/kinds.ts";
import { logLines } from "../../talos/logs.ts";
import { nodeClock } from "../../talos/clock.ts";
import { getResource, listResources } from "../../talos/resources.ts";
import { serviceHistory } from "../../talos/service-history.ts";
import { machineState } from "../../talos/stage.ts";
import { standing } from "../../talos/standing.ts";
import type { NodeClients } from "../raise/node-clients.ts";
import type { Patience } from "./witness.ts";

/** Milliseconds for a node to say who it is: a dead one must leave time for what the others have to tell. */
const FIRST_WORD = 2_400;
/** Milliseconds for what a member tells only while it has a leader. */
const COMMON = 1_500;
/** Lines of a log that may hold what was said since a service started. */
const TAIL = 4_000;

/** What one node told, and what it told of the others. */
export interface NodeWitness {
  readonly node: CastleNode;
  readonly testimony: Omit<NodeTestimony, "machine">;
  /** Undefined: it told no list, because it is no member or has no quorum. */
  readonly members?: readonly EtcdMember[] | undefined;
  readonly discovery?: readonly Affiliate[] | undefined;
}

/** Asks one node for everything that it knows of itself and of the castle. */
export async function askNode(
  clients: NodeClients,
  node: CastleNode,
  patience: Patience,
): Promise<NodeWitness> {
  const { name, role } = node;
  const client = await patience.told(clients.trusted(node));
  const answer = client === undefined ? "silent" : await answerOf(clients, node, client, patience);
  if (client === undefined || answer !== "trusted") return { node, testimony: { name, answer } };
  const [discovery, hostname, etcd] = await Promise.all([
    patience.told(discoveryOf(client, patience)),
    patience.told(getResource(client, hostnames, "hostname", patience.settings())),
    role === "controlplane" ? askEtcd(client, patience) : undefined,
  ]);
  return {
    node,
    testimony: {
      name,
      answer,
      ...(hostname === undefined ? {} : { hostname: hostname.spec.hostname }),
      ...(etcd === undefined ? {} : { etcd: etcd.service }),
    },
    members: etcd?.members,
    discovery,
  };
}

/** The connection that all else is asked through says it first; only one that it refuses is asked what it is. */
async function answerOf(
  clients: NodeClients,
  node: CastleNode,
  client: TalosClient,
  patience: Patience,
): Promise<NodeTestimony["answer"]> {
  const settings = patience.settings(FIRST_WORD);
  const first = await patience.told(
    machineState(client, settings).then(
      () => "trusted" as const,
      (error: unknown) => {
        if (error instanceof CastleError && error.code === "talos/refused") return "refused" as const;
        throw error;
      },
    ),
  );
  if (first === undefined) return "silent";
  if (first === "trusted") return first;
  const { credentials } = clients;
  const endpoint = await patience.told(clients.endpoint(node));
  if (endpoint === undefined) return "silent";
  const found = await patience.told(standing({ endpoint, name: node.name, credentials, ...settings }));
  return found === undefined ? "silent" : ANSWERS[found.kind];
}

const ANSWERS = { ours: "trusted", new: "maintenance", stranger: "foreign", silent: "silent" } as const;

async function discoveryOf(client: TalosClient, patience: Patience): Promise<Affiliate[]> {
  const listed = await listResources(client, discoveryMembers, patience.settings());
  return listed.map(({ id, spec: { addresses, machineType } }) => ({
    name: id,
    addresses,
    role: machineType === "controlplane" || machineType === "worker" ? machineType : "unknown",
  }));
}

interface EtcdWords {
  readonly service: EtcdService;
  readonly members: readonly EtcdMember[] | undefined;
}

async function askEtcd(client: TalosClient, patience: Patience): Promise<EtcdWords | undefined> {
  const settings = patience.settings();
  const [history, now] = await Promise.all([
    patience.told(serviceHistory(client, "etcd", settings)),
    patience.told(nodeClock(client, settings)),
  ]);
  if (history === undefined) return undefined;
  const { state, since, started } = history;
  const running = state === "Running" || state === "Waiting";
  // Without a leader a member still tells of itself; the list and the alarms only hang.
  const [status, members, alarms] = await Promise.all([
    running ? patience.told(etcdStatus(client, patience.settings(FIRST_WORD))) : undefined,
    running ? patience.told(etcdMembers(client, { ...patience.settings(COMMON), local: true })) : undefined,
    running ? patience.told(etcdAlarms(client, patience.settings(COMMON))) : undefined,
  ]);
  const isMember = status !== undefined && members?.some(({ id }) => id === status.id) === true;
  const healthy = isMember && !status.learner && status.leader !== undefined && status.errors.length === 0;
  return {
    members,
    service: {
      state,
      seconds:
        now === undefined || since === undefined ? undefined : (now.getTime() - since.getTime()) / 1000,
      healthy,
      ...(status === undefined ? {} : { member: status.id, version: status.version }),
      ...(alarms === undefined || alarms.length === 0 ? {} : { alarms }),
      // Who is well has nothing to complain of but others.
      complaints: healthy ? [] : await complaintsOf(client, started, patience),
    },
  };
}

async function complaintsOf(
  client: TalosClient,
  started: Date | undefined,
  patience: Patience,
): Promise<Complaint[]> {
  const lines = async (service: string) =>
    (await patience.told(readLog(client, service, patience, TAIL))) ?? [];
  const [talos, etcd] = await Promise.all([lines("machined"), lines("etcd")]);
  return [...new Set([...complaintsOfTalos(talos), ...complaintsOfEtcd(etcd, started)])];
}

/** @param tail how many of its last lines */
export async function readLog(
  client: TalosClient,
  service: string,
  patience: Patience,
  tail: number,
): Promise<string[]> {
  return logLines(client, service, { ...patience.settings(), tail });
}
