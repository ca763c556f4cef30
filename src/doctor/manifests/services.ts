import { z } from "zod";
import type { Manifest } from "./manifest.ts";
import type { PodTemplate } from "./pods.ts";
import { hasLabels } from "./pods.ts";

const ServicePort = z.object({
  name: z.string().optional(),
  port: z.number(),
  protocol: z.string().default("TCP"),
  targetPort: z.union([z.number(), z.string()]).optional(),
});
const Service = z.object({
  spec: z.object({
    type: z.string().default("ClusterIP"),
    selector: z.record(z.string(), z.string()).default({}),
    ports: z.array(ServicePort).default([]),
    clusterIP: z.string().default(""),
    externalTrafficPolicy: z.string().default("Cluster"),
  }),
  status: z
    .object({
      loadBalancer: z
        .object({ ingress: z.array(z.object({ ip: z.string().optional() })).default([]) })
        .default({ ingress: [] }),
    })
    .default({ loadBalancer: { ingress: [] } }),
});

export interface ServiceObject {
  readonly manifest: Manifest;
  readonly type: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly clusterIP: string;
  /** Local: only nodes with a pod of it announce its address. */
  readonly externalTrafficPolicy: string;
  /** Of the load balancer; none where it has not got any. */
  readonly addresses: readonly string[];
  readonly ports: readonly z.infer<typeof ServicePort>[];
}

export function services(manifests: readonly Manifest[]): readonly ServiceObject[] {
  return manifests.flatMap((manifest): ServiceObject[] => {
    if (manifest.kind !== "Service" || manifest.apiVersion !== "v1") return [];
    const found = Service.safeParse(manifest.body).data;
    if (found === undefined) return [];
    const addresses = found.status.loadBalancer.ingress.flatMap(({ ip }) => ip ?? []);
    return [{ manifest, addresses, ...found.spec }];
  });
}

/** The pods that a Service sends to; a Service without a selector sends to none that it names. */
export function podsOf(
  { manifest, selector }: ServiceObject,
  templates: readonly PodTemplate[],
): readonly PodTemplate[] {
  if (Object.keys(selector).length === 0) return [];
  return templates.filter(
    ({ manifest: pod, labels }) => pod.namespace === manifest.namespace && hasLabels(labels, selector),
  );
}
