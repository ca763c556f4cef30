import { CastleError } from "../../errors/castle-error.ts";
import { type Cluster, connectCluster } from "../../kubernetes/cluster.ts";
import type { CastleNode } from "../../spec/castle.ts";
import { poll } from "../../support/poll.ts";
import type { Secret } from "../../support/secret.ts";
import { kubePrismStatuses } from "../../talos/kinds.ts";
import { getResource } from "../../talos/resources.ts";
import { restartService, services } from "../../talos/services.ts";
import type { CastleRun } from "../castle-run.ts";
import type { NodeClients } from "./node-clients.ts";

const WITHIN = 600_000;
/** Milliseconds for a node to notice an API server; Talos looks every second or so. */
const PRISM = 60_000;
const KUBE_PRISM = "k8s-loadbalancer";

/**
 * Spares new nodes their kubelets' backoffs. A kubelet that starts before the API asks for its certificate in vain, and
 * then again after 2, 4, 8, 16 and 32 s; its view of services waits up to 30 s. So the kubelets of the nodes that have
 * not registered by the time the cluster lets nodes in start over, once. A help, no condition: what goes wrong here, the
 * wait for Ready nodes tells.
 * @param signal ends the wait for the cluster to let nodes in
 */
export async function hastenNodes(
  run: Pick<CastleRun, "castle">,
  clients: NodeClients,
  access: Secret,
  signal: AbortSignal,
): Promise<void> {
  const cluster = connectCluster(access);
  const late = await poll(() => unregistered(run, cluster, signal), {
    every: 250,
    within: WITHIN,
    signal,
    onTimeout: () => new CastleError("lifecycle/timed-out", { message: "the cluster let no node in" }),
  }).catch(() => []);
  await Promise.allSettled(late.map((node) => restartKubelet(clients, node, signal)));
}

/** The nodes that the cluster would let in now and has not; undefined while it lets nobody in. */
async function unregistered(
  { castle }: Pick<CastleRun, "castle">,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly CastleNode[] | undefined> {
  try {
    if (!(await cluster.admitsNodes(signal))) return undefined;
    const registered = new Set((await cluster.nodes(signal)).map(({ name }) => name));
    return castle.nodes.filter(({ name }) => !registered.has(name));
  } catch (error) {
    if (error instanceof CastleError && error.code === "kubernetes/unreachable") return undefined;
    throw error;
  }
}

/**
 * When the node's own way to the API is open: a kubelet that starts before asks in vain again. One that is still being
 * pulled or prepared has no backoff yet, and is left alone.
 */
async function restartKubelet(clients: NodeClients, node: CastleNode, signal: AbortSignal): Promise<void> {
  const client = await clients.trusted(node);
  await poll(
    async () => {
      const prism = await getResource(client, kubePrismStatuses, KUBE_PRISM, { signal });
      return prism?.spec.healthy === true ? true : undefined;
    },
    {
      every: 250,
      within: PRISM,
      signal,
      onTimeout: () =>
        new CastleError("lifecycle/timed-out", { message: `${node.name} found no way to the API` }),
    },
  );
  const kubelet = (await services(client, { signal })).find(({ id }) => id === "kubelet");
  if (kubelet?.state === "Running") await restartService(client, "kubelet", { signal, deadline: 30_000 });
}
