import type { Chart, Disease, Sought } from "../disease.ts";
import { hopsTo } from "../listening.ts";
import type { Endpoint } from "../manifests/endpoints.ts";
import { type PodTemplate, podTemplates } from "../manifests/pods.ts";
import { type ServiceObject, podsOf, services } from "../manifests/services.ts";
import { editCommand, kubectl } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

type ServicePort = ServiceObject["ports"][number];

/** The seed's `Connection Refused`: pods run, the Service sends to a port that nobody listens on. */
export const serviceTargetPort: Disease = {
  id: "service-target-port",
  title: "A Service sends to a port that nobody listens on in its pods",
  reads: ["Service", "Deployment", "DaemonSet", "StatefulSet", "EndpointSlice"],
  diagnose: (chart) => {
    const templates = podTemplates(chart.manifests);
    return services(chart.manifests).flatMap((service) =>
      service.ports
        .filter(({ protocol }) => protocol === "TCP")
        .flatMap((port) => walked(chart, service, port) ?? declaredOnly(chart, service, port, templates)),
    );
  },
};

/**
 * The way that a connection takes, hop by hop, down to the socket in the pod.
 * @returns undefined where it cannot be walked: there is no castle, no pod is ready, or no node told
 */
function walked(chart: Chart, service: ServiceObject, port: ServicePort): Sought[] | undefined {
  const { examination, manifests } = chart;
  if (examination === undefined) return undefined;
  const steps = hopsTo(examination, manifests, service, port).flatMap(({ open, ...hop }) =>
    open === undefined ? [] : [{ ...hop, open }],
  );
  if (steps.length === 0) return undefined;
  const dead = steps.filter(({ target, open }) => target === undefined || !open.includes(target));
  const [first] = dead;
  if (first === undefined) return [];
  const { endpoint, open, target } = first;
  const wanted = port.targetPort ?? port.port;
  const better = open.length === 1 ? open[0] : undefined;
  return [
    {
      severity: "critical",
      object: objectName(service.manifest),
      message:
        target === undefined
          ? `port ${port.port} goes to target port ${wanted}, which no container of Pod ${endpoint.pod} has`
          : `port ${port.port} goes to target port ${target}, on which nobody listens in ${pods(dead.length, steps.length)}`,
      evidence: [
        `${door(service, port)}${objectName(service.manifest)}: port ${port.port}, targetPort ${wanted}`,
        ...dead.flatMap((step) => hops(step.endpoint, step.target, step.open)),
      ],
      fix:
        better === undefined
          ? `send to a port that is open: ${open.length === 0 ? "there is none yet" : open.join(", ")}`
          : `targetPort: ${better}`,
      command: patchCommand(chart, service, port, better),
      symptoms: addressesOf(service, port),
    },
  ];
}

function hops(endpoint: Endpoint, target: number | undefined, open: readonly number[]): readonly string[] {
  return [
    `→ ${endpoint.slice}: ${target === undefined ? "no port of that name" : `${endpoint.address}:${target}`}`,
    `→ Pod ${endpoint.pod} on ${endpoint.node ?? "no node"}: listens on ${open.length === 0 ? "nothing" : open.join(", ")}`,
  ];
}

function pods(dead: number, all: number): string {
  return all === 1 ? "its pod" : `${dead} of ${all} pods`;
}

function door({ addresses }: ServiceObject, { port }: ServicePort): string {
  return addresses.length === 0
    ? ""
    : `LoadBalancer ${addresses.map((one) => `${one}:${port}`).join(", ")} → `;
}

function addressesOf({ addresses }: ServiceObject, { port }: ServicePort): readonly string[] {
  return addresses.map((address) => `${address}:${port}`);
}

function patchCommand(
  chart: Chart,
  service: ServiceObject,
  port: ServicePort,
  better: number | undefined,
): string {
  const { manifest, ports } = service;
  if (better === undefined) return editCommand(chart, manifest);
  const patch = [{ op: "replace", path: `/spec/ports/${ports.indexOf(port)}/targetPort`, value: better }];
  return kubectl(
    chart,
    `-n ${manifest.namespace} patch service ${manifest.name} --type=json -p '${JSON.stringify(patch)}'`,
  );
}

/** Where nobody can look into the pods, their containers' own word counts; one that declares nothing may listen anywhere. */
function declaredOnly(
  chart: Chart,
  service: ServiceObject,
  { port, targetPort = port }: ServicePort,
  templates: readonly PodTemplate[],
): Sought[] {
  return podsOf(service, templates)
    .filter((pod) => declared(pod).length > 0)
    .filter(
      (pod) =>
        !declared(pod).some(({ name, containerPort }) => targetPort === name || targetPort === containerPort),
    )
    .map((pod): Sought => {
      const has = declared(pod).map(({ name, containerPort }) =>
        name === undefined ? `${containerPort}` : `${name} ${containerPort}`,
      );
      const { manifest } = service;
      return {
        severity: "critical",
        object: objectName(service.manifest),
        message: `port ${port} goes to target port ${targetPort}, which ${pod.manifest.kind} ${pod.manifest.name} does not have`,
        evidence: [
          `${manifest.origin}: port ${port}, targetPort ${targetPort}`,
          `${pod.manifest.origin}: container ports ${has.join(", ")}`,
        ],
        fix: `set targetPort of that port to ${has.length === 1 ? has[0] : `one of ${has.join(", ")}`}`,
        command: editCommand(chart, manifest),
      };
    });
}

function declared({ spec }: PodTemplate) {
  return spec.containers.flatMap(({ ports }) => ports);
}
