import { z } from "zod";
import type { Disease, Sought } from "../disease.ts";
import type { Manifest } from "../manifests/manifest.ts";
import { type ServiceObject, services } from "../manifests/services.ts";
import { editCommand } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

const Backend = z.object({
  service: z
    .object({
      name: z.string(),
      port: z.object({ name: z.string().optional(), number: z.number().optional() }),
    })
    .optional(),
});
const Ingress = z.object({
  spec: z.object({
    defaultBackend: Backend.optional(),
    rules: z
      .array(z.object({ http: z.object({ paths: z.array(z.object({ backend: Backend })) }).optional() }))
      .default([]),
  }),
});
const IngressRoute = z.object({
  spec: z.object({
    routes: z.array(
      z.object({
        services: z
          .array(
            z.object({
              name: z.string(),
              namespace: z.string().optional(),
              kind: z.string().default("Service"),
              port: z.union([z.string(), z.number()]).optional(),
            }),
          )
          .default([]),
      }),
    ),
  }),
});

interface Target {
  readonly service: string;
  readonly namespace: string;
  readonly port: string | number;
}

/** An Ingress or an IngressRoute to a Service, or to a port of it, that is not there. */
export const ingressPort: Disease = {
  id: "ingress-port",
  title: "An Ingress sends to a Service or a port that is not there",
  reads: ["Ingress", "IngressRoute", "Service"],
  diagnose: (chart) => {
    const known = services(chart.manifests);
    return chart.manifests.flatMap((manifest) =>
      targetsOf(manifest).flatMap((target) =>
        judge(manifest, target, known).map((found) => ({ ...found, command: editCommand(chart, manifest) })),
      ),
    );
  },
};

function judge(manifest: Manifest, target: Target, known: readonly ServiceObject[]): Sought[] {
  const { service: name, namespace, port } = target;
  const object = objectName(manifest);
  const evidence = `${manifest.origin}: Service ${namespace}/${name}, port ${port}`;
  const service = known.find((one) => one.manifest.name === name && one.manifest.namespace === namespace);
  if (service === undefined) {
    return [
      {
        severity: "critical",
        object,
        message: `it sends to Service ${namespace}/${name}, which is not there`,
        evidence: [evidence],
        fix: `name a Service of namespace ${namespace}`,
      },
    ];
  }
  if (service.ports.some((one) => one.port === port || one.name === port || `${one.port}` === port))
    return [];
  const has = service.ports.map((one) =>
    one.name === undefined ? `${one.port}` : `${one.name} ${one.port}`,
  );
  return [
    {
      severity: "critical",
      object,
      message: `it sends to port ${port} of Service ${namespace}/${name}, which has ${has.join(", ")}`,
      evidence: [evidence, `${service.manifest.origin}: ports ${has.join(", ")}`],
      fix: `send to ${has.length === 1 ? has[0] : `one of ${has.join(", ")}`}`,
    },
  ];
}

function targetsOf({ kind, namespace, body }: Manifest): readonly Target[] {
  if (kind === "Ingress") {
    const spec = Ingress.safeParse(body).data?.spec;
    const backends = [
      spec?.defaultBackend,
      ...(spec?.rules ?? []).flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? []),
    ];
    return backends.flatMap((backend) => {
      const port = backend?.service?.port.number ?? backend?.service?.port.name;
      return backend?.service === undefined || port === undefined
        ? []
        : [{ service: backend.service.name, namespace, port }];
    });
  }
  if (kind !== "IngressRoute") return [];
  const routes = IngressRoute.safeParse(body).data?.spec.routes ?? [];
  return routes.flatMap(({ services: found }) =>
    found.flatMap(({ name, kind: target, namespace: other, port }) =>
      target !== "Service" || name.endsWith("@internal") || port === undefined
        ? []
        : [{ service: name, namespace: other ?? namespace, port }],
    ),
  );
}
