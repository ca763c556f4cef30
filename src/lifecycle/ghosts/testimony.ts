import type { Affiliate, NodeTestimony, RegisteredNode, Testimony } from "../../ghosts/testimony.ts";
import { ProxmoxClient } from "../../infra/proxmox-client.ts";
import { connectCluster } from "../../kubernetes/cluster.ts";
import { NodeClients } from "../raise/node-clients.ts";
import type { StatusSources } from "../status.ts";
import { etcdTestimony } from "./etcd-testimony.ts";
import { withKubelets } from "./kubelets.ts";
import { type NodeWitness, askNode } from "./node-testimony.ts";
import { Patience } from "./witness.ts";

/** Whom to ask, and with what. */
export type Witnesses = Pick<StatusSources, "castle" | "ground" | "credentials" | "kubeconfig" | "signal">;

/**
 * Asks everybody at once who belongs to the castle: the machine API of every node of the spec, each one's etcd, discovery,
 * Kubernetes and the hypervisor. Each of them may be silent.
 */
export async function collectTestimony(witnesses: Witnesses): Promise<Testimony> {
  const { castle, signal } = witnesses;
  const patience = new Patience(signal);
  const [machines, told, kubernetes] = await Promise.all([
    patience.told(askHypervisor(witnesses, patience)),
    askNodes(witnesses, patience),
    patience.told(askKubernetes(witnesses, patience)),
  ]);
  const nodes = castle.nodes.map(
    ({ name, vmid }): NodeTestimony => ({
      answer: "silent",
      ...told.nodes.get(name)?.testimony,
      name,
      machine: machines === undefined ? "unknown" : (machines.get(vmid) ?? "missing"),
    }),
  );
  return {
    spec: castle.nodes.map(({ name, address, role }) => ({ name, address, role })),
    // A kubeconfig that the API itself does not take says nothing of a kubelet.
    nodes: kubernetes === undefined ? nodes : await withKubelets(witnesses, nodes, patience),
    etcd: told.etcd,
    discovery: told.discovery,
    kubernetes,
  };
}

async function askNodes({ castle, ground, credentials }: Witnesses, patience: Patience) {
  if (credentials === undefined) {
    return { nodes: new Map<string, NodeWitness>(), etcd: undefined, discovery: undefined };
  }
  const clients = new NodeClients({ ground }, credentials);
  try {
    const asked = await Promise.all(castle.nodes.map((node) => askNode(clients, node, patience)));
    return {
      nodes: new Map(asked.map((witness) => [witness.node.name, witness])),
      etcd: await etcdTestimony({ ground, clients, patience }, asked),
      discovery: agreedAffiliates(asked),
    };
  } finally {
    clients.close();
  }
}

/** Whom every node that answered has heard of: news reach the nodes one after the other. */
function agreedAffiliates(asked: readonly NodeWitness[]): readonly Affiliate[] | undefined {
  const [first, ...others] = asked.flatMap(({ discovery }) => (discovery === undefined ? [] : [discovery]));
  return first?.filter(({ name }) => others.every((list) => list.some((one) => one.name === name)));
}

async function askHypervisor(
  { ground }: Witnesses,
  patience: Patience,
): Promise<ReadonlyMap<number, "running" | "stopped">> {
  const client = new ProxmoxClient(ground.proxmox);
  try {
    return await client.powerStates(patience.ended());
  } finally {
    await client.close();
  }
}

async function askKubernetes(
  { kubeconfig }: Witnesses,
  patience: Patience,
): Promise<readonly RegisteredNode[] | undefined> {
  if (kubeconfig === undefined) return undefined;
  const nodes = await connectCluster(kubeconfig).nodes(patience.ended());
  return nodes.map(({ name, address, ready }) => ({ name, address, ready }));
}
