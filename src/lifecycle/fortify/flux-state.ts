import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { judge, observedShape, type Verdict } from "../../kubernetes/conditions.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import { SYNC_NAME } from "../../platform/synchronisation.ts";

const NAMESPACE = `namespaces/${FLUX_NAMESPACE}`;
export const SOURCE_PATH = `/apis/source.toolkit.fluxcd.io/v1/${NAMESPACE}/gitrepositories/${SYNC_NAME}`;
const ORDER_PATH = `/apis/kustomize.toolkit.fluxcd.io/v1/${NAMESPACE}/kustomizations`;

const sourceShape = z.object({
  status: z
    .object({
      artifact: z.object({ revision: z.string() }).optional(),
      lastHandledReconcileAt: z.string().optional(),
    })
    .optional(),
});
const sourceReference = z.object({
  kind: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
});
type SourceReference = z.infer<typeof sourceReference>;
const orderShape = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ sourceRef: sourceReference }),
      status: z.object({ lastAppliedRevision: z.string().optional() }).optional(),
    }),
  ),
});
const observedList = z.object({ items: z.array(observedShape) });

export interface FluxSource {
  /** What Flux has fetched, BRANCH@sha1:COMMIT. */
  readonly revision: string | undefined;
  /** The last request that it has carried out. */
  readonly handled: string | undefined;
  readonly verdict: Verdict;
}

export interface FluxComponent {
  /** What was applied last. */
  readonly revision: string | undefined;
  readonly verdict: Verdict;
}

/** What Flux says of itself. */
export interface FluxState {
  readonly source: FluxSource | undefined;
  /** By name: the Kustomizations that follow the castle's repository, a user's own too. */
  readonly components: ReadonlyMap<string, FluxComponent>;
}

/** @throws CastleError kubernetes/unreachable … ; a cluster without Flux has an empty state */
export async function fluxState(api: KubernetesApi, signal?: AbortSignal): Promise<FluxState> {
  const [source, order] = await Promise.all(
    [SOURCE_PATH, ORDER_PATH].map(async (path) => {
      // As the API server has it at hand, perhaps some milliseconds old: it is asked often, while etcd is busy.
      const { status, body } = await api.call({ path: `${path}?resourceVersion=0`, signal });
      return status === 200 ? body : undefined;
    }),
  );
  return { source: sourceOf(source), components: componentsOf(order) };
}

function sourceOf(body: unknown): FluxSource | undefined {
  const [told, observed] = [sourceShape.safeParse(body).data, observedShape.safeParse(body).data];
  if (told === undefined || observed === undefined) return undefined;
  const { artifact, lastHandledReconcileAt } = told.status ?? {};
  return {
    revision: artifact?.revision,
    handled: lastHandledReconcileAt,
    verdict: judge(observed, "Ready"),
  };
}

function componentsOf(body: unknown): ReadonlyMap<string, FluxComponent> {
  const observed = observedList.safeParse(body).data?.items ?? [];
  const told = orderShape.safeParse(body).data?.items ?? [];
  return new Map(
    told.flatMap(({ metadata, spec: { sourceRef }, status }, index) => {
      const item = observed[index];
      // Another's source never has our revision.
      if (item === undefined || !isOurs(sourceRef)) return [];
      return [
        [metadata.name, { revision: status?.lastAppliedRevision, verdict: judge(item, "Ready") }] as const,
      ];
    }),
  );
}

function isOurs({ kind, name, namespace = FLUX_NAMESPACE }: SourceReference): boolean {
  return kind === "GitRepository" && name === SYNC_NAME && namespace === FLUX_NAMESPACE;
}

/** Asks Flux to fetch the repository now. @returns what it says in `handled` once it has */
export async function requestFetch(api: KubernetesApi, now: Date, signal?: AbortSignal): Promise<string> {
  const at = now.toISOString();
  await annotate(api, SOURCE_PATH, at, signal);
  return at;
}

/** Asks Flux to look at a component now instead of at its next interval. */
export async function requestComponent(
  api: KubernetesApi,
  name: string,
  now: Date,
  signal?: AbortSignal,
): Promise<void> {
  await annotate(api, `${ORDER_PATH}/${name}`, now.toISOString(), signal);
}

async function annotate(
  api: KubernetesApi,
  path: string,
  at: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { status } = await api.call({
    method: "PATCH",
    // Not as castle, whose fields Flux takes over.
    path: `${path}?fieldManager=castle-request`,
    body: { metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": at } } },
    contentType: "application/merge-patch+json",
    signal,
  });
  if (status < 300) return;
  throw new CastleError("platform/not-installed", {
    message: `The cluster has no ${path.split("/").slice(-2).join(" ")} in ${FLUX_NAMESPACE} (status ${status})`,
    hint: "castle up",
  });
}
