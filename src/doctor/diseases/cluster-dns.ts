import type { Disease, Sought } from "../disease.ts";
import { endpointsOf } from "../manifests/endpoints.ts";
import { services } from "../manifests/services.ts";
import { kubectl } from "../remedy.ts";

const [NAMESPACE, NAME] = ["kube-system", "kube-dns"];

/** No pod finds any other by its name. */
export const clusterDns: Disease = {
  id: "cluster-dns",
  title: "The cluster's name server has no pod that is ready",
  reads: ["Service", "EndpointSlice", "Deployment"],
  diagnose: (chart) =>
    services(chart.manifests)
      .filter(({ manifest }) => manifest.namespace === NAMESPACE && manifest.name === NAME)
      .flatMap((service): Sought[] => {
        const endpoints = chart.at === undefined ? undefined : endpointsOf(service, chart.manifests);
        if (endpoints === undefined || endpoints.some(({ ready }) => ready)) return [];
        return [
          {
            severity: "critical",
            object: `Service ${NAMESPACE}/${NAME}`,
            message: "names do not resolve in any pod: no CoreDNS is ready",
            evidence: [
              `Service ${NAMESPACE}/${NAME}: cluster IP ${service.clusterIP}, asked by every pod`,
              endpoints.length === 0
                ? "its EndpointSlices name no pod"
                : `not ready: ${endpoints.map(({ pod, node }) => `${pod} on ${node ?? "no node"}`).join(", ")}`,
            ],
            fix: "CoreDNS needs at least one pod that runs",
            command:
              endpoints.length === 0
                ? kubectl(chart, `-n ${NAMESPACE} scale deployment coredns --replicas=2`)
                : kubectl(chart, `-n ${NAMESPACE} logs deployment/coredns`),
            symptoms: [`Deployment ${NAMESPACE}/coredns`, "CoreDNS"],
          },
        ];
      }),
};
