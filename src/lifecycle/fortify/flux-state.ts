import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { judge, observedShape, type Verdict } from "../../kubernetes/conditions.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import { SYNC_NAME } from "../../platform/synchronisation.ts";

const NAMESPACE = `namespaces/${FLUX_NAMESPACE}`;
const SOURCES_PATH = `/apis/source.toolkit.fluxcd.io/v1/${NAMESPACE}/gitrepositories`;
const ORDER_PATH = `/apis/kustomize.toolkit.fluxcd.io/v1/${NAMESPACE}/kustomizations`;

const metadata = z.object({ name: z.string() });
const sourcesShape = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({
        url: z.string(),
        ref: z.object({ branch: z.string().optional() }).optional(),
      }),
      status: z
        .object({
          artifact: z.object({ revision: z.string(), lastUpdateTime: z.string().optional() }).optional(),
          lastHandledReconcileAt: z.string().optional(),
        })
        .optional(),
    }),
  ),
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
      metadata,
      spec: z.object({ sourceRef: sourceReference }),
      status: z.object({ lastAppliedRevision: z.string().optional() }).optional(),
    }),
  ),
});
const observedList = z.object({ items: z.array(observedShape) });

export interface FluxSource {
  /** What Flux has fetched, BRANCH@sha1:COMMIT. */
  readonly revision: string | undefined;
  /** When it did, ISO 8601. */
  readonly fetchedAt: string | undefined;
  /** The last request that it has carried out. */
  readonly handled: string | undefined;
  readonly verdict: Verdict;
}

export interface FluxComponent {
  /** What was applied last. */
  readonly revision: string | undefined;
  /** That is what its source fetched last. */
  readonly current: boolean;
  /** The name of its GitRepository. */
  readonly source: string;
  readonly verdict: Verdict;
}

/** What Flux says of itself. */
export interface FluxState {
  /** By name: the GitRepositories that follow the castle's repository; a component's has the component's name. */
  readonly sources: ReadonlyMap<string, FluxSource>;
  /** By name: the Kustomizations that follow one of them, a user's own too. */
  readonly components: ReadonlyMap<string, FluxComponent>;
}

/** @throws CastleError kubernetes/unreachable … ; a cluster without Flux has an empty state */
export async function fluxState(api: KubernetesApi, signal?: AbortSignal): Promise<FluxState> {
  const [found, order] = await Promise.all(
    [SOURCES_PATH, ORDER_PATH].map(async (path) => {
      // As the API server has it at hand, perhaps some milliseconds old: it is asked often, while etcd is busy.
      const { status, body } = await api.call({ path: `${path}?resourceVersion=0`, signal });
      return status === 200 ? body : undefined;
    }),
  );
  const sources = sourcesOf(found);
  return { sources, components: componentsOf(order, sources) };
}

function sourcesOf(body: unknown): FluxState["sources"] {
  const observed = observedList.safeParse(body).data?.items ?? [];
  const told = sourcesShape.safeParse(body).data?.items ?? [];
  const own = told.find((one) => one.metadata.name === SYNC_NAME)?.spec;
  return new Map(
    told.flatMap(
      ({ metadata: { name }, spec: { url, ref }, status: { artifact, ...status } = {} }, index) => {
        const item = observed[index];
        if (item === undefined || url !== own?.url || ref?.branch !== own.ref?.branch) return [];
        const source: FluxSource = {
          revision: artifact?.revision,
          fetchedAt: artifact?.lastUpdateTime,
          handled: status.lastHandledReconcileAt,
          verdict: judge(item, "Ready"),
        };
        return [[name, source] as const];
      },
    ),
  );
}

function componentsOf(body: unknown, sources: FluxState["sources"]): FluxState["components"] {
  const observed = observedList.safeParse(body).data?.items ?? [];
  const told = orderShape.safeParse(body).data?.items ?? [];
  return new Map(
    told.flatMap(({ metadata: { name }, spec: { sourceRef }, status }, index) => {
      const item = observed[index];
      const source = isHere(sourceRef) ? sources.get(sourceRef.name) : undefined;
      // Another's source never has our revision.
      if (item === undefined || source === undefined) return [];
      const revision = status?.lastAppliedRevision;
      const component: FluxComponent = {
        revision,
        current: revision !== undefined && revision === source.revision,
        source: sourceRef.name,
        verdict: judge(item, "Ready"),
      };
      return [[name, component] as const];
    }),
  );
}

function isHere({ kind, namespace = FLUX_NAMESPACE }: SourceReference): boolean {
  return kind === "GitRepository" && namespace === FLUX_NAMESPACE;
}

/** Asks Flux to fetch these sources now. @returns what each says in `handled` once it has */
export async function requestFetch(
  api: KubernetesApi,
  sources: readonly string[],
  now: Date,
  signal?: AbortSignal,
): Promise<string> {
  const at = now.toISOString();
  await Promise.all(sources.map((name) => annotate(api, `${SOURCES_PATH}/${name}`, at, signal)));
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
