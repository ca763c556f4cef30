import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";
import { KubernetesApi } from "./api.ts";

/** What Kubernetes itself says of one node. */
export interface ClusterNode {
  readonly name: string;
  readonly address: string | undefined;
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly controlPlane: boolean;
  /** With the leading v. */
  readonly kubeletVersion: string;
  /** Why it is not ready, in Kubernetes' words. */
  readonly reason: string | undefined;
}

export interface Cluster {
  /** @throws CastleError kubernetes/unreachable, kubernetes/refused */
  nodes(signal?: AbortSignal): Promise<readonly ClusterNode[]>;
  /** Whether a new node that comes now is let in at once: its token is known, and somebody signs its certificate. */
  admitsNodes(signal?: AbortSignal): Promise<boolean>;
  /** The API server's own version, with the leading v. */
  version(signal?: AbortSignal): Promise<string>;
}

/** Milliseconds that one question may take. */
const DEADLINE = 5_000;

/** Who approves and signs a new kubelet's certificate is the controller manager that leads. */
const SIGNER = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager";
/** Talos applies it after the token that nodes come with. */
const APPROVAL =
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system-bootstrap-approve-node-client-csr";

const nodeShape = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
  spec: z.object({ unschedulable: z.boolean().optional() }),
  status: z.object({
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).optional(),
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
      .optional(),
    nodeInfo: z.object({ kubeletVersion: z.string() }).optional(),
  }),
});
const nodesShape = z.object({ items: z.array(nodeShape) });
const leaseShape = z.object({ spec: z.object({ holderIdentity: z.string().optional() }) });
const versionShape = z.object({ gitVersion: z.string() });

/** What castle asks of the cluster that a kubeconfig names. */
export function connectCluster(kubeconfig: Secret): Cluster {
  const api = new KubernetesApi(kubeconfig);
  return {
    nodes: async (signal) =>
      (await answerOf(api, "/api/v1/nodes", nodesShape, signal)).items.map(clusterNode),
    admitsNodes: async (signal) => {
      const lease = await ifThere(api, SIGNER, signal);
      const holder = lease === undefined ? undefined : leaseShape.parse(lease).spec.holderIdentity;
      if ((holder ?? "") === "") return false;
      return (await ifThere(api, APPROVAL, signal)) !== undefined;
    },
    version: async (signal) => (await answerOf(api, "/version", versionShape, signal)).gitVersion,
  };
}

async function answerOf<T>(
  api: KubernetesApi,
  path: string,
  shape: z.ZodType<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { status, body } = await api.call({ path, signal, within: DEADLINE });
  if (status === 200) return shape.parse(body);
  throw unexpected(path, status);
}

/** Undefined if there is no such thing, or the API server does not know yet who may see it. */
async function ifThere(api: KubernetesApi, path: string, signal: AbortSignal | undefined): Promise<unknown> {
  const { status, body } = await api.call({ path, signal, within: DEADLINE });
  if (status === 200) return body;
  if (status === 403 || status === 404) return undefined;
  throw unexpected(path, status);
}

/** An API server that is starting or overloaded answers 500 and 503; one that does not know us, 403. */
function unexpected(path: string, status: number): CastleError {
  if (status === 403) {
    return new CastleError("kubernetes/refused", {
      message: `The Kubernetes API refused this kubeconfig (${status}) at ${path}`,
      hint: "castle kubeconfig writes a fresh one",
    });
  }
  return new CastleError("kubernetes/unreachable", {
    message: `The Kubernetes API does not answer: ${status} at ${path}`,
    hint: "castle status shows which machines are on",
  });
}

function clusterNode({ metadata, spec, status }: z.infer<typeof nodeShape>): ClusterNode {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  return {
    name: metadata.name,
    address: status.addresses?.find(({ type }) => type === "InternalIP")?.address,
    ready: ready?.status === "True",
    schedulable: spec.unschedulable !== true,
    controlPlane: metadata.labels?.["node-role.kubernetes.io/control-plane"] !== undefined,
    kubeletVersion: status.nodeInfo?.kubeletVersion ?? "",
    reason: ready?.status === "True" ? undefined : ready?.message,
  };
}
