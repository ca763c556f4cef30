import type { Castle } from "../spec/castle.ts";
import { SITE_CERTIFICATE, siteNamespace } from "./site-names.ts";
import type { Surroundings } from "./surroundings.ts";

/** config.json of the ACME controller (parts/acme). */
export interface AcmeConfig {
  readonly directory: string;
  readonly email: string;
  /** PEM; empty where a public authority signed the directory's certificate. */
  readonly caBundle: string;
  /** :PORT */
  readonly challengeAddress: string;
  /** :PORT; serves /metrics and /healthz. */
  readonly metricsAddress: string;
  readonly certificates: readonly {
    readonly host: string;
    readonly namespace: string;
    /** The kubernetes.io/tls Secret that the certificate is written to. */
    readonly secret: string;
  }[];
}

const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
};

export function acmeConfig(
  { ingress, sites }: Castle,
  acme: Surroundings["acme"],
  ports: { readonly challenges: number; readonly metrics: number },
): AcmeConfig {
  const told = ingress?.tls?.acme ?? "";
  return {
    directory: acme?.directory ?? DIRECTORIES[told] ?? told,
    email: ingress?.tls?.email ?? "",
    caBundle: acme?.caBundle ?? "",
    challengeAddress: `:${ports.challenges}`,
    metricsAddress: `:${ports.metrics}`,
    certificates: (sites ?? []).map(({ name, host }) => ({
      host,
      namespace: siteNamespace(name),
      secret: SITE_CERTIFICATE,
    })),
  };
}
