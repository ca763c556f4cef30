import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { SITE_CERTIFICATE, siteNamespace } from "../../platform/site-names.ts";
import { Secret } from "../../support/secret.ts";
import type { Certificate } from "./certificate.ts";

/** Written by the ACME controller, parts/acme/certificate.go: where a certificate was ordered. */
const DIRECTORY_NOTE = "castle.dev/acme-directory";
const HOST_NOTE = "castle.dev/host";

const base64 = z.base64().transform((text) => Buffer.from(text, "base64").toString("utf8"));
const secretShape = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  data: z.object({ "tls.crt": base64, "tls.key": base64 }),
});

export interface SiteHost {
  readonly name: string;
  readonly host: string;
}

/** What the site's TLS Secret holds. Undefined where there is none, or not one of the ACME controller. */
export async function clusterCertificate(
  api: KubernetesApi,
  { name, host }: SiteHost,
  signal?: AbortSignal,
): Promise<Certificate | undefined> {
  const path = `${secretsPath(name)}/${SITE_CERTIFICATE}`;
  const { status, body } = await api.call({ path, signal });
  const found = status === 200 ? secretShape.safeParse(body).data : undefined;
  const directory = found?.metadata.annotations[DIRECTORY_NOTE];
  if (found === undefined || directory === undefined) return undefined;
  return { host, directory, chain: found.data["tls.crt"], key: new Secret(found.data["tls.key"]) };
}

/**
 * Makes the site's TLS Secret in the shape that the ACME controller gives it, so that it takes it for its own.
 * @returns false where there is one already: that one stays
 * @throws CastleError kubernetes/rejected, kubernetes/unreachable
 */
export async function createClusterCertificate(
  api: KubernetesApi,
  { name, host }: SiteHost,
  { directory, chain, key }: Certificate,
  signal?: AbortSignal,
): Promise<boolean> {
  const namespace = siteNamespace(name);
  // Flux brings the rest of the namespace.
  await create(api, "/api/v1/namespaces", { kind: "Namespace", metadata: { name: namespace } }, signal);
  const secret = {
    kind: "Secret",
    metadata: {
      name: SITE_CERTIFICATE,
      namespace,
      labels: { "app.kubernetes.io/component": "certificate", "app.kubernetes.io/managed-by": "castle" },
      annotations: { [DIRECTORY_NOTE]: directory, [HOST_NOTE]: host },
    },
    type: "kubernetes.io/tls",
    data: { "tls.crt": encoded(chain), "tls.key": encoded(key.reveal()) },
  };
  return create(api, secretsPath(name), secret, signal);
}

function secretsPath(site: string): string {
  return `/api/v1/namespaces/${siteNamespace(site)}/secrets`;
}

async function create(
  api: KubernetesApi,
  path: string,
  object: { readonly kind: string; readonly metadata: { readonly name: string } },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { status, body } = await api.call({
    method: "POST",
    path: `${path}?fieldManager=castle`,
    body: { apiVersion: "v1", ...object },
    signal,
  });
  if (status < 300) return true;
  if (status === 409) return false;
  const said = z.object({ message: z.string() }).safeParse(body).data?.message ?? `status ${status}`;
  throw new CastleError("kubernetes/rejected", {
    message: `The Kubernetes API refuses ${object.kind} ${object.metadata.name}: ${said}`,
    details: { object: `${object.kind} ${object.metadata.name}`, status },
  });
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}
