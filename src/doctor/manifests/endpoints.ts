import { z } from "zod";
import type { Manifest } from "./manifest.ts";
import type { ServiceObject } from "./services.ts";
import { objectName } from "./manifest.ts";

const EndpointSlice = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()).default([]),
        conditions: z.object({ ready: z.boolean().optional() }).default({}),
        nodeName: z.string().optional(),
        targetRef: z
          .object({ kind: z.string(), name: z.string(), namespace: z.string().optional() })
          .optional(),
      }),
    )
    .nullish()
    .transform((endpoints) => endpoints ?? []),
  ports: z
    .array(
      z.object({
        name: z.string().nullish(),
        port: z.number().nullish(),
        protocol: z.string().default("TCP"),
      }),
    )
    .nullish()
    .transform((ports) => ports ?? []),
});

const SERVICE_LABEL = "kubernetes.io/service-name";

/** Where Kubernetes sends a Service's connections: one pod, and the ports that were found in it. */
export interface Endpoint {
  /** NAMESPACE/NAME */
  readonly pod: string;
  readonly node: string | undefined;
  readonly address: string;
  readonly ready: boolean;
  /** Of the slice that it is in: EndpointSlice NAMESPACE/NAME. */
  readonly slice: string;
  /** The pod's port by the Service port's name; the name of a lone port may be empty. */
  readonly ports: ReadonlyMap<string, number>;
}

/** The pods that Kubernetes itself found for a Service. */
export function endpointsOf(
  { manifest }: ServiceObject,
  manifests: readonly Manifest[],
): readonly Endpoint[] {
  return manifests.flatMap((slice): Endpoint[] => {
    if (slice.kind !== "EndpointSlice" || slice.namespace !== manifest.namespace) return [];
    const found = EndpointSlice.safeParse(slice.body).data;
    if (found?.metadata.labels[SERVICE_LABEL] !== manifest.name) return [];
    const ports = new Map(
      found.ports.flatMap(({ name, port }) =>
        typeof port === "number" ? [[name ?? "", port] as const] : [],
      ),
    );
    return found.endpoints.flatMap(({ addresses, conditions, nodeName, targetRef }) =>
      targetRef?.kind === "Pod"
        ? [
            {
              pod: `${targetRef.namespace ?? slice.namespace}/${targetRef.name}`,
              node: nodeName,
              address: addresses[0] ?? "",
              ready: conditions.ready !== false,
              slice: objectName(slice),
              ports,
            },
          ]
        : [],
    );
  });
}
