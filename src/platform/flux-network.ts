import { FLUX_METRICS_PORT, FLUX_NAMESPACE } from "./flux-controller.ts";
import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";

/** As Flux' own installation has them: artifacts for Flux alone, metrics for everybody, no limit on the way out. */
export function networkPolicies(): Manifest[] {
  return [
    policy("allow-egress", {
      egress: [{}],
      ingress: [{ from: [{ podSelector: {} }] }],
      policyTypes: ["Ingress", "Egress"],
    }),
    policy("allow-scraping", {
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: FLUX_METRICS_PORT, protocol: "TCP" }] }],
      policyTypes: ["Ingress"],
    }),
  ];
}

function policy(name: string, spec: object): Manifest {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: FLUX_NAMESPACE, labels: labels("flux-system", "flux") },
    spec: { podSelector: {}, ...spec },
  };
}
