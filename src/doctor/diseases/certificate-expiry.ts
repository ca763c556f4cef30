import type { Disease } from "../disease.ts";
import { secretUses, tlsSecrets } from "../manifests/tls.ts";
import { endsSoon } from "../remaining.ts";
import { kubectl } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

/** Certificates that sites show; those of nodes and of castle itself are health's. */
export const certificateExpiry: Disease = {
  id: "certificate-expiry",
  title: "A certificate in the cluster ends soon, or has ended",
  reads: ["Secret", "Ingress", "IngressRoute"],
  diagnose: (chart) => {
    const { at, manifests } = chart;
    if (at === undefined) return [];
    const uses = secretUses(manifests);
    return tlsSecrets(manifests).flatMap(({ manifest, object, certificate }) => {
      const [from, until] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
      const ends = endsSoon({ from, until }, at);
      if (ends === undefined) return [];
      const shown = uses.filter(
        ({ namespace, secret }) => namespace === manifest.namespace && secret === manifest.name,
      );
      return [
        {
          severity: until <= at ? ("critical" as const) : ("warning" as const),
          object,
          message: ends,
          evidence: [
            `${object}: valid from ${from.toISOString()} to ${until.toISOString()}`,
            ...shown.map(({ manifest: by, host }) => `${objectName(by)} shows it for ${host}`),
          ],
          fix: "renew it; castle's ACME controller renews its own with a third of their life left, and orders where the Secret is missing",
          command: kubectl(chart, `-n ${manifest.namespace} delete secret ${manifest.name}`),
          symptoms: shown.map(({ host }) => `TLS of ${host}`),
        },
      ];
    });
  },
};
