import type { Castle } from "../spec/castle.ts";
import { SITE_CERTIFICATE, siteNamespace } from "./site-names.ts";
import type { Surroundings } from "./surroundings.ts";

/** config.yaml of the ACME controller (parts/acme), which refuses a key that it does not know. */
interface AcmeConfig {
  readonly directory: string;
  readonly email: string;
  /** PEM; absent where a public authority signed the directory's certificate. */
  readonly caBundle?: string;
  readonly hosts: readonly {
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

export function acmeConfig({ ingress, sites }: Castle, acme: Surroundings["acme"]): AcmeConfig {
  const told = ingress?.tls?.acme ?? "";
  const caBundle = acme === undefined ? ingress?.tls?.ca : acme.caBundle;
  return {
    directory: acme?.directory ?? DIRECTORIES[told] ?? told,
    email: ingress?.tls?.email ?? "",
    ...(caBundle === undefined ? {} : { caBundle }),
    hosts: (sites ?? []).map(({ name, host }) => ({
      host,
      namespace: siteNamespace(name),
      secret: SITE_CERTIFICATE,
    })),
  };
}
