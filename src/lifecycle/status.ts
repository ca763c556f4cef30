import { controlPlanes } from "../spec/control-planes.ts";
import { CastleError } from "../errors/castle-error.ts";
import { ProxmoxClient } from "../infra/proxmox-client.ts";
import { type ClusterNode, connectCluster } from "../kubernetes/cluster.ts";
import type { Castle, CastleNode, Role } from "../spec/castle.ts";
import type { Secret } from "../support/secret.ts";
import { etcdMembers, etcdStatus } from "../talos/etcd.ts";
import { version } from "../talos/machine.ts";
import { machineState } from "../talos/stage.ts";
import { holdsAddress } from "../talos/vip.ts";
import type { Ground } from "./ground/ground.ts";
import { type PlatformStatus, platformStatus } from "./platform-status.ts";
import { NodeClients } from "./raise/node-clients.ts";
import type { Credentials } from "../talos/talosconfig.ts";
import { noAnswer } from "../errors/failure.ts";

/** Milliseconds that one look at one node may take: a status with a dead node must not take long. */
const PATIENCE = 2_500;

export interface NodeStatus {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly host: string;
  readonly machine: "running" | "stopped" | "missing" | "unknown";
  /** Talos' stage, or why nothing is known of it. */
  readonly talos: string;
  readonly talosVersion: string | undefined;
  readonly etcd: "leader" | "voter" | "learner" | undefined;
  readonly vip: boolean;
  readonly kubernetes: "ready" | "not-ready" | "missing" | "unknown";
  readonly kubeletVersion: string | undefined;
}

export interface CastleStatus {
  readonly castle: string;
  /** Everything is as the spec says and healthy. */
  readonly healthy: boolean;
  readonly nodes: readonly NodeStatus[];
  readonly etcd: { readonly voters: readonly string[]; readonly leader: string | undefined };
  readonly vip: { readonly address: string; readonly holder: string | undefined };
  /** Undefined: the API does not answer. */
  readonly kubernetes: string | undefined;
  /** With gitops, and where the API answers. */
  readonly platform?: PlatformStatus;
}

export interface StatusSources {
  readonly castle: Castle;
  readonly ground: Ground;
  readonly credentials: Credentials | undefined;
  /** A kubeconfig that works from here. */
  readonly kubeconfig: Secret | undefined;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** What the castle is now, asked of everybody at once; whoever does not answer is told as such. */
export async function castleStatus(sources: StatusSources): Promise<CastleStatus> {
  const { castle } = sources;
  const [machines, talos, cluster, platform] = await Promise.all([
    machinesOf(sources),
    talosOf(sources),
    clusterOf(sources),
    platformOf(sources),
  ]);
  const nodes = castle.nodes.map((node, index): NodeStatus => {
    const looked = talos[index];
    const member = looked?.etcd;
    const registered = cluster?.nodes.find(({ name }) => name === node.name);
    return {
      name: node.name,
      role: node.role,
      address: node.address,
      host: node.host,
      machine: machines === undefined ? "unknown" : (machines.get(node.vmid) ?? "missing"),
      talos: looked?.stage ?? "unknown",
      talosVersion: looked?.version,
      etcd: member,
      vip: looked?.vip ?? false,
      kubernetes: cluster === undefined ? "unknown" : kubernetesState(registered),
      kubeletVersion: registered?.kubeletVersion,
    };
  });
  const voters = nodes.flatMap(({ name, etcd }) => (etcd === "leader" || etcd === "voter" ? [name] : []));
  const expectedVoters = controlPlanes(castle).length;
  const holder = nodes.find(({ vip }) => vip)?.name;
  return {
    castle: castle.name,
    healthy:
      nodes.every(
        (node) => node.machine === "running" && node.talos === "running" && node.kubernetes === "ready",
      ) &&
      voters.length === expectedVoters &&
      holder !== undefined &&
      (castle.gitops === undefined || platform?.healthy === true),
    nodes,
    etcd: { voters, leader: nodes.find(({ etcd }) => etcd === "leader")?.name },
    vip: { address: castle.network.vip, holder },
    kubernetes: cluster?.version,
    ...(platform === undefined ? {} : { platform }),
  };
}

async function platformOf({ castle, kubeconfig, now, signal }: StatusSources) {
  if (castle.gitops === undefined || kubeconfig === undefined) return undefined;
  return platformStatus(castle, kubeconfig, { now, signal }).catch(noAnswer);
}

async function machinesOf({
  ground,
  signal,
}: StatusSources): Promise<ReadonlyMap<number, "running" | "stopped"> | undefined> {
  const client = new ProxmoxClient(ground.proxmox);
  try {
    return await client.powerStates(signal);
  } catch (error) {
    return noAnswer(error);
  } finally {
    await client.close();
  }
}

interface TalosLook {
  readonly stage: string;
  readonly version: string | undefined;
  readonly etcd: NodeStatus["etcd"];
  readonly vip: boolean;
}

async function talosOf({
  castle,
  ground,
  credentials,
  signal,
}: StatusSources): Promise<readonly TalosLook[]> {
  if (credentials === undefined) return [];
  const clients = new NodeClients({ ground }, credentials);
  try {
    return await Promise.all(castle.nodes.map((node) => lookAt(node, castle, clients, signal)));
  } finally {
    clients.close();
  }
}

async function lookAt(
  node: CastleNode,
  castle: Castle,
  clients: NodeClients,
  signal: AbortSignal,
): Promise<TalosLook> {
  const settings = { deadline: PATIENCE, signal };
  const client = await clients.trusted(node);
  try {
    const [{ stage }, running] = await Promise.all([
      machineState(client, settings),
      version(client, settings),
    ]);
    if (node.role === "worker") return { stage, version: running.talos, etcd: undefined, vip: false };
    const [vip, etcd] = await Promise.all([
      holdsAddress(client, castle.network.vip, settings).catch(noAnswer),
      etcdRole(client, node, settings).catch(noAnswer),
    ]);
    return { stage, version: running.talos, etcd, vip: vip ?? false };
  } catch (error) {
    noAnswer(error);
    const stage =
      error instanceof CastleError && error.code === "talos/refused"
        ? "not ours, or in maintenance"
        : "silent";
    return { stage, version: undefined, etcd: undefined, vip: false };
  }
}

async function etcdRole(
  client: Awaited<ReturnType<NodeClients["trusted"]>>,
  node: CastleNode,
  settings: { deadline: number; signal: AbortSignal },
): Promise<NodeStatus["etcd"]> {
  const [members, own] = await Promise.all([etcdMembers(client, settings), etcdStatus(client, settings)]);
  const member = members.find(({ name }) => name === node.name);
  if (member === undefined) return undefined;
  if (member.learner) return "learner";
  return own.leader === member.id ? "leader" : "voter";
}

async function clusterOf({
  kubeconfig,
  signal,
}: StatusSources): Promise<{ version: string; nodes: readonly ClusterNode[] } | undefined> {
  if (kubeconfig === undefined) return undefined;
  try {
    const cluster = connectCluster(kubeconfig);
    const [current, nodes] = await Promise.all([cluster.version(signal), cluster.nodes(signal)]);
    return { version: current, nodes };
  } catch (error) {
    return noAnswer(error);
  }
}

function kubernetesState(node: ClusterNode | undefined): NodeStatus["kubernetes"] {
  if (node === undefined) return "missing";
  return node.ready ? "ready" : "not-ready";
}
