import type { Disease } from "../disease.ts";
import { secretUses, tlsSecrets } from "../manifests/tls.ts";
import { kubectl } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

export const certificateName: Disease = {
  id: "certificate-name",
  title: "A certificate is not for the host that shows it",
  reads: ["Secret", "Ingress", "IngressRoute"],
  diagnose: (chart) => {
    const secrets = tlsSecrets(chart.manifests);
    return secretUses(chart.manifests).flatMap(({ manifest, host, namespace, secret }) => {
      const found = secrets.find(
        (one) => one.manifest.namespace === namespace && one.manifest.name === secret,
      );
      if (found === undefined || found.certificate.checkHost(host) !== undefined) return [];
      const names = (found.certificate.subjectAltName ?? found.certificate.subject).replaceAll("DNS:", "");
      return [
        {
          severity: "critical" as const,
          object: found.object,
          message: `${host} shows it, and it is for ${names}`,
          evidence: [
            `${objectName(manifest)}: host ${host}, secretName ${secret}`,
            `${found.object}: names ${names}, issued by ${found.certificate.issuer.replaceAll("\n", ", ")}`,
          ],
          fix: `a certificate for ${host}; castle's ACME controller orders one where the Secret is missing`,
          command: kubectl(chart, `-n ${namespace} delete secret ${secret}`),
        },
      ];
    });
  },
};
