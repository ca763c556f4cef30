import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { KubernetesApi } from "./api.ts";

export interface ClusterSecret {
  readonly namespace: string;
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
}

const itemShape = z.object({
  metadata: z.object({ namespace: z.string(), name: z.string(), creationTimestamp: z.string() }),
});
/** A list of nothing is null. */
const listShape = z.object({ items: z.array(itemShape).nullable() });

/** On every Secret that castle itself puts into the cluster, because it may not lie in Git. */
export const OWN_LABELS = {
  "app.kubernetes.io/managed-by": "castle",
  "app.kubernetes.io/part-of": "castle",
} as const;

const SELECTOR = `app.kubernetes.io/managed-by=${OWN_LABELS["app.kubernetes.io/managed-by"]}`;
/** Names without content: the values never leave the API server. */
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/** The Secrets that castle itself put into the cluster, sorted. @throws CastleError kubernetes/… */
export async function castleSecrets(
  api: KubernetesApi,
  signal?: AbortSignal,
): Promise<readonly ClusterSecret[]> {
  const { status, body } = await api.call({
    path: `/api/v1/secrets?labelSelector=${encodeURIComponent(SELECTOR)}`,
    accept: METADATA_ONLY,
    signal,
  });
  const list = status === 200 ? listShape.safeParse(body).data : undefined;
  if (list === undefined) {
    throw new CastleError("kubernetes/rejected", {
      message: `The Kubernetes API does not list Secrets: status ${status}`,
    });
  }
  return (list.items ?? [])
    .map(({ metadata: { namespace, name, creationTimestamp: created } }) => ({ namespace, name, created }))
    .sort((one, other) => `${one.namespace}/${one.name}`.localeCompare(`${other.namespace}/${other.name}`));
}
