import type { V1Node } from "@kubernetes/client-node";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";

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

/** Milliseconds that one call to the API may take. */
const DEADLINE = 5_000;

/** Who approves and signs a new kubelet's certificate is the controller manager that leads. */
const SIGNER = { name: "kube-controller-manager", namespace: "kube-system" };
/** Talos applies it after the token that nodes come with. */
const APPROVAL = { name: "system-bootstrap-approve-node-client-csr" };

/** A client of the cluster that a kubeconfig names. The library takes half a second to load, so it is loaded here. */
export async function connectCluster(kubeconfig: Secret): Promise<Cluster> {
  const { CoordinationV1Api, CoreV1Api, KubeConfig, RbacAuthorizationV1Api, VersionApi } = await import(
    "@kubernetes/client-node"
  );
  const config = new KubeConfig();
  config.loadFromString(kubeconfig.reveal());
  const core = config.makeApiClient(CoreV1Api);
  const versions = config.makeApiClient(VersionApi);
  const leases = config.makeApiClient(CoordinationV1Api);
  const access = config.makeApiClient(RbacAuthorizationV1Api);
  return {
    nodes: async (signal) => {
      const list = await call(() => core.listNode(), signal);
      return list.items.map(clusterNode);
    },
    admitsNodes: async (signal) => {
      const lease = await ifThere(leases.readNamespacedLease(SIGNER), signal);
      if ((lease?.spec?.holderIdentity ?? "") === "") return false;
      return (await ifThere(access.readClusterRoleBinding(APPROVAL), signal)) !== undefined;
    },
    version: async (signal) => (await call(() => versions.getCode(), signal)).gitVersion,
  };
}

async function call<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE);
  const ended = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = () => reject(ended.reason instanceof Error ? ended.reason : new Error("aborted"));
    ended.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
    if (code === 401 || code === 403) {
      throw new CastleError("kubernetes/refused", {
        message: `The Kubernetes API refused this kubeconfig (${code})`,
        hint: "castle kubeconfig writes a fresh one",
        cause,
      });
    }
    throw new CastleError("kubernetes/unreachable", {
      message: `The Kubernetes API does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "castle status shows which machines are on",
      cause,
    });
  }
}

/** Undefined if there is no such thing, or the API server does not know yet who may see it. */
function ifThere<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  return call(
    () =>
      work.catch((error: unknown) => {
        const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
        if (code === 403 || code === 404) return undefined;
        throw error;
      }),
    signal,
  );
}

function clusterNode(node: V1Node): ClusterNode {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  return {
    name: node.metadata?.name ?? "",
    address: node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
    ready: ready?.status === "True",
    schedulable: node.spec?.unschedulable !== true,
    controlPlane: node.metadata?.labels?.["node-role.kubernetes.io/control-plane"] !== undefined,
    kubeletVersion: node.status?.nodeInfo?.kubeletVersion ?? "",
    reason: ready?.status === "True" ? undefined : ready?.message,
  };
}
