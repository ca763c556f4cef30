import { z } from "zod";
import { isSameImage } from "../../image/image-name.ts";
import { referenceParts } from "../../gitops/edit/reference-parts.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  ports: z.array(z.looseObject({ containerPort: z.number(), name: z.string().optional() })).optional(),
});
const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const deploymentShape = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), generation: z.number().optional() }),
  spec: z.object({
    replicas: z.number().optional(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()).optional() }),
    template: z.object({
      spec: z.object({
        containers: z.array(container),
        serviceAccountName: z.string().optional(),
        imagePullSecrets: z.array(z.object({ name: z.string().optional() })).optional(),
      }),
    }),
  }),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      replicas: z.number().optional(),
      updatedReplicas: z.number().optional(),
      availableReplicas: z.number().optional(),
      conditions: z.array(condition).optional(),
    })
    .optional(),
});
export type Workload = z.infer<typeof deploymentShape>;

const state = z.object({ reason: z.string().optional(), message: z.string().optional() });
const podShape = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({ nodeName: z.string().optional(), containers: z.array(container) }),
  status: z
    .object({
      phase: z.string().optional(),
      conditions: z.array(condition).optional(),
      containerStatuses: z
        .array(
          z.object({
            name: z.string(),
            ready: z.boolean().optional(),
            imageID: z.string().optional(),
            restartCount: z.number().optional(),
            state: z
              .object({
                waiting: state.optional(),
                terminated: state.extend({ exitCode: z.number().optional() }).optional(),
              })
              .optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type Pod = z.infer<typeof podShape>;

/** All Deployments of the cluster that run the image, in whatever release. */
export async function workloadsOf(
  api: KubernetesApi,
  image: string,
  signal: AbortSignal,
): Promise<readonly Workload[]> {
  const { body } = await api.call({ path: "/apis/apps/v1/deployments", signal });
  const { items } = z.object({ items: z.array(deploymentShape) }).parse(body);
  return items.filter((workload) => containerOf(workload.spec.template.spec, image) !== undefined);
}

export async function readWorkload(
  api: KubernetesApi,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const { status, body } = await api.call({
    path: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
    signal,
  });
  return status === 200 ? deploymentShape.parse(body) : undefined;
}

/** Its pods that are meant to stay, by name. */
export async function podsOf(
  api: KubernetesApi,
  { metadata: { namespace }, spec }: Workload,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const labels = Object.entries(spec.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const query = new URLSearchParams({ labelSelector: labels.join(",") });
  const { body } = await api.call({
    path: `/api/v1/namespaces/${namespace}/pods?${query.toString()}`,
    signal,
  });
  const { items } = z.object({ items: z.array(podShape) }).parse(body);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

/** The container that serves the site. */
export function containerOf(
  { containers }: { readonly containers: readonly z.infer<typeof container>[] },
  image: string,
): z.infer<typeof container> | undefined {
  return containers.find((one) => isSameImage(referenceParts(one.image).name, image));
}
