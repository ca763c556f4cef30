import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { type Condition, conditionShape } from "../../kubernetes/conditions.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";

const common = {
  metadata: z.object({ name: z.string(), namespace: z.string(), generation: z.number().optional() }),
};
const sourceShape = z.object({
  ...common,
  spec: z.object({
    url: z.string(),
    ref: z.looseObject({ branch: z.string().optional() }).optional(),
    suspend: z.boolean().optional(),
  }),
  status: z
    .object({
      artifact: z.object({ revision: z.string() }).optional(),
      conditions: z.array(conditionShape).optional(),
    })
    .optional(),
});
const kustomizationShape = z.object({
  ...common,
  spec: z.object({
    path: z.string().optional(),
    suspend: z.boolean().optional(),
    sourceRef: z.object({ kind: z.string(), name: z.string(), namespace: z.string().optional() }),
  }),
  status: z
    .object({
      lastAppliedRevision: z.string().optional(),
      lastAttemptedRevision: z.string().optional(),
      conditions: z.array(conditionShape).optional(),
    })
    .optional(),
});
export type FluxSource = z.infer<typeof sourceShape>;
export type FluxKustomization = z.infer<typeof kustomizationShape>;

const SOURCES = "source.toolkit.fluxcd.io/v1";
const KUSTOMIZATIONS = "kustomize.toolkit.fluxcd.io/v1";

export async function fluxSources(api: KubernetesApi, signal: AbortSignal): Promise<readonly FluxSource[]> {
  return list(api, `/apis/${SOURCES}/gitrepositories`, sourceShape, signal);
}

export async function fluxKustomizations(
  api: KubernetesApi,
  signal: AbortSignal,
): Promise<readonly FluxKustomization[]> {
  return list(api, `/apis/${KUSTOMIZATIONS}/kustomizations`, kustomizationShape, signal);
}

export function sourcePath({ metadata: { namespace, name } }: FluxSource): string {
  return `/apis/${SOURCES}/namespaces/${namespace}/gitrepositories/${name}`;
}

export function kustomizationPath({ metadata: { namespace, name } }: FluxKustomization): string {
  return `/apis/${KUSTOMIZATIONS}/namespaces/${namespace}/kustomizations/${name}`;
}

export async function readSource(api: KubernetesApi, path: string, signal: AbortSignal): Promise<FluxSource> {
  return sourceShape.parse((await api.call({ path, signal })).body);
}

export async function readKustomization(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
): Promise<FluxKustomization> {
  return kustomizationShape.parse((await api.call({ path, signal })).body);
}

/** Asks Flux to look now instead of at its next interval. */
export async function requestReconcile(
  api: KubernetesApi,
  path: string,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  await api.call({
    method: "PATCH",
    path: `${path}?fieldManager=castle-request`,
    body: { metadata: { annotations: { "reconcile.fluxcd.io/requestedAt": now.toISOString() } } },
    contentType: "application/merge-patch+json",
    signal,
  });
}

export function readyCondition(conditions: readonly Condition[] | undefined): Condition | undefined {
  return conditions?.find(({ type }) => type === "Ready");
}

async function list<Shape extends z.ZodType>(
  api: KubernetesApi,
  path: string,
  shape: Shape,
  signal: AbortSignal,
): Promise<readonly z.infer<Shape>[]> {
  const { status, body } = await api.call({ path, signal });
  if (status === 404) return [];
  if (status !== 200) {
    throw new CastleError("publish/flux", {
      message: `The cluster answers ${status} where its Flux objects are listed (${path})`,
      hint: "the kubeconfig's user has to be allowed to list them in all namespaces",
    });
  }
  return z.object({ items: z.array(shape) }).parse(body).items;
}
