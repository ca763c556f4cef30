import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { pollWithin } from "../support/poll.ts";
import type { KubernetesApi } from "./api.ts";

/** Milliseconds between two looks at what a node still runs. */
const EVERY = 500;

const podsShape = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        annotations: z.record(z.string(), z.string()).optional(),
        ownerReferences: z.array(z.object({ kind: z.string() })).optional(),
      }),
      status: z.object({ phase: z.string().optional() }).optional(),
    }),
  ),
});
type Pod = z.infer<typeof podsShape>["items"][number];

/** Marks a node so that nothing new is put there. @returns false: there is no such Node */
export async function cordon(api: KubernetesApi, node: string, signal?: AbortSignal): Promise<boolean> {
  const { status } = await api.call({
    method: "PATCH",
    path: `/api/v1/nodes/${node}`,
    body: { spec: { unschedulable: true } },
    contentType: "application/merge-patch+json",
    signal,
  });
  if (status === 404) return false;
  if (status === 200) return true;
  throw unexpected(`cordon ${node}`, status);
}

/**
 * Asks every pod to go elsewhere, through the eviction API, so that disruption budgets are kept; what a DaemonSet or the
 * kubelet itself runs stays.
 * @param within milliseconds; whoever is still there then is told, not waited for
 * @returns namespace/name of the pods that stayed
 */
export async function drain(
  api: KubernetesApi,
  node: string,
  { within, signal }: { readonly within: number; readonly signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  let left: readonly Pod[] = [];
  await pollWithin(
    async () => {
      left = await movablePods(api, node, signal);
      if (left.length === 0) return true;
      await Promise.all(left.map((pod) => evict(api, pod, signal)));
      return undefined;
    },
    { every: EVERY, within, signal },
  );
  return left.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

/** @returns false: there was none */
export async function deleteNode(api: KubernetesApi, node: string, signal?: AbortSignal): Promise<boolean> {
  const { status } = await api.call({ method: "DELETE", path: `/api/v1/nodes/${node}`, signal });
  if (status === 404) return false;
  if (status === 200 || status === 202) return true;
  throw unexpected(`delete node ${node}`, status);
}

async function movablePods(
  api: KubernetesApi,
  node: string,
  signal: AbortSignal | undefined,
): Promise<readonly Pod[]> {
  const selector = encodeURIComponent(`spec.nodeName=${node}`);
  const { status, body } = await api.call({ path: `/api/v1/pods?fieldSelector=${selector}`, signal });
  if (status !== 200) throw unexpected(`list the pods of ${node}`, status);
  return podsShape.parse(body).items.filter(({ metadata, status: told }) => {
    const { annotations = {}, ownerReferences = [] } = metadata;
    const stays = ownerReferences.some(({ kind }) => kind === "DaemonSet" || kind === "Node");
    const done = told?.phase === "Succeeded" || told?.phase === "Failed";
    return !stays && !done && annotations["kubernetes.io/config.mirror"] === undefined;
  });
}

/** 429: a disruption budget says "not now"; the next look asks again. */
async function evict(api: KubernetesApi, { metadata }: Pod, signal: AbortSignal | undefined): Promise<void> {
  const { name, namespace } = metadata;
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const { status } = await api.call({ method: "POST", path, body, signal });
  if (status < 300 || status === 404 || status === 409 || status === 429 || status >= 500) return;
  throw unexpected(`evict ${namespace}/${name}`, status);
}

function unexpected(what: string, status: number): CastleError {
  return new CastleError("kubernetes/unreachable", {
    message: `The Kubernetes API answered ${status} when asked to ${what}`,
    hint: "castle status shows which machines are on",
  });
}
