import type { Disease } from "../disease.ts";
import { type PodTemplate, podTemplates } from "../manifests/pods.ts";
import { podsOf, services } from "../manifests/services.ts";

/** The seed's `Connection Refused`: pods run, the Service sends to a port that nobody listens on. */
export const serviceTargetPort: Disease = {
  id: "service-target-port",
  title: "A Service sends to a port that no container of its pods has",
  diagnose: ({ manifests }) => {
    const templates = podTemplates(manifests);
    return services(manifests).flatMap((service) => {
      const pods = podsOf(service, templates).filter((pod) => declared(pod).length > 0);
      return service.ports.flatMap(({ port, targetPort = port }) =>
        pods
          .filter(
            (pod) =>
              !declared(pod).some(
                ({ name, containerPort }) => targetPort === name || targetPort === containerPort,
              ),
          )
          .map((pod) => {
            const has = declared(pod).map(({ name, containerPort }) =>
              name === undefined ? `${containerPort}` : `${name} ${containerPort}`,
            );
            const { manifest } = service;
            return {
              severity: "critical" as const,
              object: `Service ${manifest.namespace}/${manifest.name}`,
              message: `port ${port} goes to target port ${targetPort}, which ${pod.manifest.kind} ${pod.manifest.name} does not have`,
              evidence: [
                `${manifest.origin}: port ${port}, targetPort ${targetPort}`,
                `${pod.manifest.origin}: container ports ${has.join(", ")}`,
              ],
              fix: `set targetPort of that port to ${has.length === 1 ? has[0] : `one of ${has.join(", ")}`}`,
            };
          }),
      );
    });
  },
};

function declared({ spec }: PodTemplate) {
  return spec.containers.flatMap(({ ports }) => ports);
}
