import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { ClusterObjects, ObjectKind } from "../manifests/cluster-objects.ts";
import { type Manifest, manifestOf } from "../manifests/manifest.ts";

interface Reading {
  readonly kind: ObjectKind;
  readonly apiVersion: string;
  readonly path: string;
  /** What of an object is kept; all of it unless told. */
  readonly keep?: (item: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/** A kind that the cluster does not know has no objects. */
const READINGS: readonly Reading[] = [
  { kind: "Namespace", apiVersion: "v1", path: "/api/v1/namespaces" },
  { kind: "Node", apiVersion: "v1", path: "/api/v1/nodes" },
  { kind: "Pod", apiVersion: "v1", path: "/api/v1/pods" },
  { kind: "Service", apiVersion: "v1", path: "/api/v1/services" },
  // Only what is refused: other events are many, and old in an hour.
  { kind: "Event", apiVersion: "v1", path: "/api/v1/events?fieldSelector=reason%3DFailedCreate" },
  { kind: "Event", apiVersion: "v1", path: "/api/v1/events?fieldSelector=reason%3DAllocationFailed" },
  {
    kind: "Secret",
    apiVersion: "v1",
    path: "/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Ftls",
    keep: withoutKey,
  },
  // What the ACME controller tells of its orders: src/platform/certificates.ts.
  {
    kind: "ConfigMap",
    apiVersion: "v1",
    path: "/api/v1/configmaps?fieldSelector=metadata.name%3Dacme-state",
  },
  { kind: "DaemonSet", apiVersion: "apps/v1", path: "/apis/apps/v1/daemonsets" },
  { kind: "Deployment", apiVersion: "apps/v1", path: "/apis/apps/v1/deployments" },
  { kind: "StatefulSet", apiVersion: "apps/v1", path: "/apis/apps/v1/statefulsets" },
  {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    path: "/apis/discovery.k8s.io/v1/endpointslices",
  },
  {
    kind: "Lease",
    apiVersion: "coordination.k8s.io/v1",
    path: "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
  },
  { kind: "Ingress", apiVersion: "networking.k8s.io/v1", path: "/apis/networking.k8s.io/v1/ingresses" },
  {
    kind: "IngressRoute",
    apiVersion: "traefik.io/v1alpha1",
    path: "/apis/traefik.io/v1alpha1/ingressroutes",
  },
  {
    kind: "GitRepository",
    apiVersion: "source.toolkit.fluxcd.io/v1",
    path: "/apis/source.toolkit.fluxcd.io/v1/gitrepositories",
  },
  {
    kind: "Kustomization",
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    path: "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
  },
  {
    kind: "IPAddressPool",
    apiVersion: "metallb.io/v1beta1",
    path: "/apis/metallb.io/v1beta1/ipaddresspools",
  },
  {
    kind: "L2Advertisement",
    apiVersion: "metallb.io/v1beta1",
    path: "/apis/metallb.io/v1beta1/l2advertisements",
  },
];

const listShape = z.object({ items: z.array(z.record(z.string(), z.unknown())) });
const versionShape = z.object({ gitVersion: z.string() });
const refusalShape = z.object({ message: z.string() });

/**
 * All objects that diseases are found in, asked for at once. A kind that the API refuses to tell is told as unread.
 * @throws CastleError kubernetes/unreachable, kubernetes/refused, command/interrupted
 */
export async function readObjects(api: KubernetesApi, signal: AbortSignal): Promise<ClusterObjects> {
  const unread = new Map<ObjectKind, string>();
  const read = async ({ kind, apiVersion, path, keep }: Reading): Promise<readonly Manifest[]> => {
    const { status, body } = await api.call({ path, signal });
    if (status === 404) return [];
    const list = status === 200 ? listShape.safeParse(body).data : undefined;
    if (list === undefined) {
      unread.set(kind, refusalShape.safeParse(body).data?.message ?? `the API answered ${status}`);
      return [];
    }
    // Objects in a list carry neither kind nor version.
    return list.items.flatMap(
      (item) => manifestOf({ ...(keep?.(item) ?? item), apiVersion, kind }, "cluster") ?? [],
    );
  };
  const [version, ...lists] = await Promise.all([versionOf(api, signal), ...READINGS.map(read)]);
  return { version, objects: lists.flat(), unread };
}

async function versionOf(api: KubernetesApi, signal: AbortSignal): Promise<string> {
  const { status, body } = await api.call({ path: "/version", signal });
  const told = versionShape.safeParse(body).data;
  if (told !== undefined) return told.gitVersion;
  throw new CastleError("kubernetes/unreachable", {
    message: `The Kubernetes API does not tell its version: ${status}`,
    hint: "castle status shows which machines are on",
  });
}

/** A key that nobody looks at is not carried about. */
function withoutKey(item: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const data = z.object({ "tls.crt": z.string() }).safeParse(item["data"]).data;
  return { metadata: item["metadata"], type: item["type"], data: data ?? {} };
}
