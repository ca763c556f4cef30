import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { ClusterExamination, ClusterNodeState, PodState, WorkloadState } from "../examination.ts";

const metadata = z.object({
  name: z.string(),
  namespace: z.string().default(""),
  labels: z.record(z.string(), z.string()).default({}),
});
const conditions = z
  .array(z.object({ type: z.string(), status: z.string(), message: z.string().default("") }))
  .default([]);

const Node = z.object({
  metadata,
  spec: z.object({ unschedulable: z.boolean().default(false) }),
  status: z.object({ conditions, nodeInfo: z.object({ kubeletVersion: z.string() }) }),
});
const Lease = z.object({ metadata, spec: z.object({ renewTime: z.string().optional() }) });
const Pod = z.object({
  metadata,
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ conditions }),
});
const DaemonSet = z.object({
  metadata,
  status: z.object({ desiredNumberScheduled: z.number().default(0), numberReady: z.number().default(0) }),
});
const Deployment = z.object({
  metadata,
  spec: z.object({ replicas: z.number().default(1) }),
  status: z.object({ readyReplicas: z.number().default(0) }),
});
const Version = z.object({ gitVersion: z.string() });

/** Everything that the API tells, asked at once. */
export async function examineCluster(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<ClusterExamination | { readonly silent: string }> {
  const list = async <T>(path: string, item: z.ZodType<T>): Promise<T[]> =>
    z.object({ items: z.array(item) }).parse((await api.call({ path, signal })).body).items;
  try {
    const [version, nodes, leases, pods, daemonSets, deployments] = await Promise.all([
      api.call({ path: "/version", signal }).then(({ body }) => Version.parse(body).gitVersion),
      list("/api/v1/nodes", Node),
      list("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", Lease),
      list("/api/v1/pods", Pod),
      list("/apis/apps/v1/daemonsets", DaemonSet),
      list("/apis/apps/v1/deployments", Deployment),
    ]);
    const renewals = new Map(leases.map((lease) => [lease.metadata.name, lease.spec.renewTime]));
    return {
      version,
      nodes: nodes.map((node) => nodeState(node, renewals.get(node.metadata.name))),
      pods: pods.map(podState),
      workloads: [
        ...daemonSets.map((one) =>
          workload("DaemonSet", one.metadata, one.status.desiredNumberScheduled, one.status.numberReady),
        ),
        ...deployments.map((one) =>
          workload("Deployment", one.metadata, one.spec.replicas, one.status.readyReplicas),
        ),
      ],
    };
  } catch (error) {
    if (error instanceof CastleError && error.code !== "command/interrupted") {
      return { silent: error.message };
    }
    throw error;
  }
}

function nodeState(
  { metadata: { name }, spec, status }: z.infer<typeof Node>,
  renewed: string | undefined,
): ClusterNodeState {
  return {
    name,
    kubelet: status.nodeInfo.kubeletVersion,
    unschedulable: spec.unschedulable,
    ready: isReady(status.conditions),
    troubles: status.conditions.filter(({ type, status: state }) =>
      type === "Ready" ? state !== "True" : state === "True",
    ),
    renewed: renewed === undefined ? undefined : new Date(renewed),
  };
}

function podState({ metadata: { name, namespace, labels }, spec, status }: z.infer<typeof Pod>): PodState {
  return {
    namespace,
    name,
    labels,
    node: spec.nodeName,
    ready: isReady(status.conditions),
  };
}

function workload(
  kind: WorkloadState["kind"],
  { namespace, name }: z.infer<typeof metadata>,
  wanted: number,
  ready: number,
): WorkloadState {
  return { kind, namespace, name, wanted, ready };
}

function isReady(found: z.infer<typeof conditions>): boolean {
  return found.some(({ type, status }) => type === "Ready" && status === "True");
}
