import { z } from "zod";
import type { Chart, Disease, Sought } from "../disease.ts";
import { listensSomewhere } from "../listening.ts";
import type { Manifest } from "../manifests/manifest.ts";
import { isNonRoot, mayBindLowPorts, podTemplates } from "../manifests/pods.ts";
import { editCommand, openCommand } from "../remedy.ts";

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
  reads: ["Deployment", "DaemonSet", "StatefulSet"],
  diagnose: (chart) => [
    ...podTemplates(chart.manifests).flatMap((pod) =>
      pod.spec.containers.flatMap((container) => {
        if (!isNonRoot(pod, container) || mayBindLowPorts(container)) return [];
        return container.args.flatMap((argument): Sought[] => {
          const found = /^--entry[pP]oints\.([^.]+)\.address=[^:]*:(\d+)/.exec(argument);
          const port = Number(found?.[2]);
          if (found === null || port >= FREE) return [];
          // A container runtime may give low ports to everybody: who is seen to listen was let.
          if (listensSomewhere(chart, pod, port) === true) return [];
          const { kind, namespace, name, origin } = pod.manifest;
          return [
            {
              ...tooLow(`${kind} ${namespace}/${name}`, found[1] ?? "", port, `${origin}: ${argument}`),
              command: editCommand(chart, pod.manifest),
            },
          ];
        });
      }),
    ),
    ...chart.others.flatMap(({ body, origin }) =>
      ofValues(body, origin).map((found) => ({ ...found, command: openCommand(origin) })),
    ),
    ...chart.manifests.flatMap((manifest) => ofRelease(chart, manifest)),
  ],
};

function ofRelease(chart: Chart, manifest: Manifest): Sought[] {
  const values = Release.safeParse(manifest.body).data?.spec.values;
  return ofValues(values, manifest.origin).map((found) => ({
    ...found,
    command: editCommand(chart, manifest),
  }));
}

function ofValues(values: unknown, origin: string): Sought[] {
  const ports = Values.safeParse(values).data?.ports ?? {};
  return Object.entries(ports).flatMap(([name, { port, exposedPort }]): Sought[] => {
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

function tooLow(object: string, name: string, port: number, evidence: string): Sought {
  return {
    severity: "critical",
    object,
    message: `entry point ${name} is to listen on ${port} inside the pod, where Traefik is not root`,
    evidence: [evidence],
    fix: `listen on ${port + 8000} inside (port) and offer ${port} outside (exposedPort, or the Service's port)`,
  };
}
