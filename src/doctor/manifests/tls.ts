import { X509Certificate } from "node:crypto";
import { z } from "zod";
import type { Manifest } from "./manifest.ts";
import { objectName } from "./manifest.ts";

const TlsSecret = z.object({
  type: z.literal("kubernetes.io/tls"),
  data: z.object({ "tls.crt": z.string() }),
});
const Ingress = z.object({
  spec: z.object({
    tls: z
      .array(z.object({ secretName: z.string().optional(), hosts: z.array(z.string()).default([]) }))
      .default([]),
  }),
});
const IngressRoute = z.object({
  spec: z.object({
    routes: z.array(z.object({ match: z.string().default("") })).default([]),
    tls: z.object({ secretName: z.string().optional() }).optional(),
  }),
});

export interface TlsSecret {
  readonly manifest: Manifest;
  /** Secret NAMESPACE/NAME */
  readonly object: string;
  readonly certificate: X509Certificate;
}

/** Certificates of a cluster; what holds none that can be read is left out. */
export function tlsSecrets(manifests: readonly Manifest[]): readonly TlsSecret[] {
  return manifests.flatMap((manifest): TlsSecret[] => {
    const found = manifest.kind === "Secret" ? TlsSecret.safeParse(manifest.body).data : undefined;
    const certificate = found === undefined ? undefined : read(found.data["tls.crt"]);
    if (certificate === undefined) return [];
    return [{ manifest, object: objectName(manifest), certificate }];
  });
}

function read(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}

/** A host that shows a Secret's certificate to its visitors. */
export interface SecretUse {
  /** Of the Ingress or the IngressRoute. */
  readonly manifest: Manifest;
  readonly host: string;
  readonly namespace: string;
  readonly secret: string;
}

export function secretUses(manifests: readonly Manifest[]): readonly SecretUse[] {
  return manifests.flatMap((manifest): SecretUse[] => {
    const { kind, namespace, body } = manifest;
    if (kind === "Ingress") {
      const tls = Ingress.safeParse(body).data?.spec.tls ?? [];
      return tls.flatMap(({ secretName, hosts }) =>
        secretName === undefined
          ? []
          : hosts.map((host) => ({ manifest, host, namespace, secret: secretName })),
      );
    }
    if (kind !== "IngressRoute") return [];
    const spec = IngressRoute.safeParse(body).data?.spec;
    const secret = spec?.tls?.secretName;
    if (spec === undefined || secret === undefined) return [];
    const hosts = spec.routes.flatMap(({ match }) => hostsOf(match));
    return [...new Set(hosts)].map((host) => ({ manifest, host, namespace, secret }));
  });
}

/** Host(`a`) || Host(`b`), or Host(`a`, `b`) as Traefik 2 wrote it. */
function hostsOf(rule: string): readonly string[] {
  return [...rule.matchAll(/\bHost\(([^)]*)\)/g)].flatMap(([, names = ""]) =>
    [...names.matchAll(/[`"]([^`"]+)[`"]/g)].map(([, host = ""]) => host),
  );
}
