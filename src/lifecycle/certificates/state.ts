import { z } from "zod";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { CERTIFICATES_NAMESPACE, ACME_STATE } from "../../platform/certificates.ts";
import { SITE_CERTIFICATE, siteNamespace } from "../../platform/site-names.ts";
import type { Castle } from "../../spec/castle.ts";
import { parsedJson } from "../../support/json.ts";

/** What the ACME controller tells of a host, parts/acme/board.go. */
const hostShape = z.object({
  state: z.enum(["pending", "valid", "failed"]),
  /** Where it is ordered; an error is that directory's. */
  directory: z.string().optional(),
  issuer: z.string().optional(),
  notAfter: z.iso.datetime().optional(),
  message: z.string().optional(),
  error: z.string().optional(),
  nextTry: z.iso.datetime().optional(),
});

export interface CertificateState extends Readonly<z.infer<typeof hostShape>> {
  readonly site: string;
  readonly host: string;
  /** The Secret that it is written to, as namespace/name. */
  readonly secret: string;
  /** Whole days; absent where there is no certificate. */
  readonly daysLeft?: number;
}

const DAY = 86_400_000;
const configMapShape = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** How every certificate that the spec asks for stands, in the spec's order. @throws CastleError kubernetes/… */
export async function certificateStates(
  api: KubernetesApi,
  castle: Castle,
  { now, signal }: { readonly now: Date; readonly signal?: AbortSignal | undefined },
): Promise<readonly CertificateState[]> {
  if (castle.ingress?.tls === undefined || castle.sites === undefined) return [];
  const path = `/api/v1/namespaces/${CERTIFICATES_NAMESPACE}/configmaps/${ACME_STATE}`;
  const { status, body } = await api.call({ path, signal });
  const told = status === 200 ? (configMapShape.safeParse(body).data?.data ?? {}) : {};
  return castle.sites.map(({ name, host }) => {
    const found = hostShape.safeParse(parsedJson(told[host] ?? "")).data;
    const { notAfter } = found ?? {};
    return {
      site: name,
      host,
      secret: `${siteNamespace(name)}/${SITE_CERTIFICATE}`,
      ...(found ?? { state: "pending", message: "the ACME controller has not said anything yet" }),
      ...(notAfter === undefined
        ? {}
        : { daysLeft: Math.floor((Date.parse(notAfter) - now.getTime()) / DAY) }),
    };
  });
}
