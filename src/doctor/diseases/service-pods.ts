import type { Disease } from "../disease.ts";
import { endpointsOf } from "../manifests/endpoints.ts";
import { podTemplates } from "../manifests/pods.ts";
import { podsOf, services } from "../manifests/services.ts";
import { editCommand } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

/** A selector that fits nobody: connections are refused although pods of that name run. */
export const servicePods: Disease = {
  id: "service-pods",
  title: "A Service selects pods that nobody makes",
  reads: ["Service", "Deployment", "DaemonSet", "StatefulSet", "Pod", "EndpointSlice"],
  diagnose: (chart) => {
    // In a folder the pods may lie somewhere else.
    if (chart.at === undefined) return [];
    const templates = podTemplates(chart.manifests);
    return services(chart.manifests).flatMap((service) => {
      const { manifest, selector, addresses } = service;
      const wanted = Object.entries(selector);
      if (wanted.length === 0 || endpointsOf(service, chart.manifests).length > 0) return [];
      if (podsOf(service, templates).length > 0) return [];
      const near = templates.find(
        ({ manifest: pod, labels }) =>
          pod.namespace === manifest.namespace && wanted.some(([key, value]) => labels[key] === value),
      );
      return [
        {
          severity: "critical" as const,
          object: objectName(manifest),
          message: "no pod has the labels that it selects",
          evidence: [
            `${objectName(manifest)}: selector ${pairs(selector)}`,
            ...(near === undefined
              ? [`no workload in ${manifest.namespace} makes such pods`]
              : [`${objectName(near.manifest)}: ${pairs(near.labels)}`]),
          ],
          fix: "let selector and labels be the same",
          command: editCommand(chart, manifest),
          symptoms: addresses.flatMap((address) => service.ports.map(({ port }) => `${address}:${port}`)),
        },
      ];
    });
  },
};

function pairs(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}
