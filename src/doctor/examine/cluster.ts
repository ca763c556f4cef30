import { z } from "zod";
import type { ClusterExamination, ClusterNodeState, PodState, WorkloadState } from "../examination.ts";
import type { ClusterObjects, ObjectKind } from "../manifests/cluster-objects.ts";

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

/** Without these nothing is said of the cluster as a whole. */
const NEEDED = ["Node", "Lease", "Pod", "DaemonSet", "Deployment"] as const satisfies readonly ObjectKind[];

/** What the objects say of nodes, pods and workloads. */
export function clusterState({
  version,
  objects,
  unread,
}: ClusterObjects): ClusterExamination | { readonly silent: string } {
  const missing = NEEDED.find((kind) => unread.has(kind));
  if (missing !== undefined) return { silent: unread.get(missing) ?? "" };
  const all = <T>(kind: ObjectKind, shape: z.ZodType<T>): readonly T[] =>
    objects.flatMap((object) => (object.kind === kind ? (shape.safeParse(object.body).data ?? []) : []));
  const renewals = new Map(
    all("Lease", Lease).map((lease) => [lease.metadata.name, lease.spec.renewTime] as const),
  );
  return {
    version,
    nodes: all("Node", Node).map((node) => nodeState(node, renewals.get(node.metadata.name))),
    pods: all("Pod", Pod).map(podState),
    workloads: [
      ...all("DaemonSet", DaemonSet).map((one) =>
        workload("DaemonSet", one.metadata, one.status.desiredNumberScheduled, one.status.numberReady),
      ),
      ...all("Deployment", Deployment).map((one) =>
        workload("Deployment", one.metadata, one.spec.replicas, one.status.readyReplicas),
      ),
    ],
  };
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
