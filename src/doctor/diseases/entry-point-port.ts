import { z } from "zod";
import type { Diagnosis, Disease } from "../disease.ts";
import { isNonRoot, mayBindLowPorts, podTemplates } from "../manifests/pods.ts";

const FREE = 1024;
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** Helm values of Traefik's chart: `port` is inside the pod, `exposedPort` is what the LoadBalancer offers. */
const Values = z.object({
  ports: z.record(
    z.string(),
    z.looseObject({ port: z.number().optional(), exposedPort: z.number().optional() }),
  ),
});
const Release = z.object({ kind: z.literal("HelmRelease"), spec: z.object({ values: z.unknown() }) });

/** The seed's other port bug: Traefik's image is not root, so its entry points lie above 1024. */
export const entryPointPort: Disease = {
  id: "entry-point-port",
  title: "A Traefik entry point below 1024, or exposedPort taken for port",
  diagnose: ({ manifests, others }) => [
    ...podTemplates(manifests).flatMap((pod) =>
      pod.spec.containers.flatMap((container) => {
        if (!isNonRoot(pod, container) || mayBindLowPorts(container)) return [];
        return container.args.flatMap((argument) => {
          const found = /^--entry[pP]oints\.([^.]+)\.address=[^:]*:(\d+)/.exec(argument);
          const port = Number(found?.[2]);
          if (found === null || port >= FREE) return [];
          return [
            tooLow(
              `${pod.manifest.kind} ${pod.manifest.namespace}/${pod.manifest.name}`,
              found[1] ?? "",
              port,
              `${pod.manifest.origin}: ${argument}`,
            ),
          ];
        });
      }),
    ),
    ...others.flatMap(({ body, origin }) => ofValues(body, origin)),
    ...manifests.flatMap(({ body, origin }) => ofValues(Release.safeParse(body).data?.spec.values, origin)),
  ],
};

function ofValues(values: unknown, origin: string): Omit<Diagnosis, "disease">[] {
  const ports = Values.safeParse(values).data?.ports ?? {};
  return Object.entries(ports).flatMap(([name, { port, exposedPort }]): Omit<Diagnosis, "disease">[] => {
    const object = `Helm values, ports.${name}`;
    if (exposedPort !== undefined && port !== undefined && WEB_PORTS.has(port) && exposedPort >= FREE) {
      return [
        {
          severity: "critical",
          object,
          message: `port and exposedPort are the wrong way round: port ${port} is inside the pod, exposedPort ${exposedPort} outside`,
          evidence: [`${origin}: ports.${name}.port ${port}, ports.${name}.exposedPort ${exposedPort}`],
          fix: `ports.${name}: {port: ${exposedPort}, exposedPort: ${port}}`,
        },
      ];
    }
    if (port === undefined || port >= FREE) return [];
    return [tooLow(object, name, port, `${origin}: ports.${name}.port ${port}`)];
  });
}

function tooLow(object: string, name: string, port: number, evidence: string): Omit<Diagnosis, "disease"> {
  return {
    severity: "critical",
    object,
    message: `entry point ${name} is to listen on ${port} inside the pod, where Traefik is not root`,
    evidence: [evidence],
    fix: `listen on ${port + 8000} inside (port) and offer ${port} outside (exposedPort, or the Service's port)`,
  };
}
