import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { Secret } from "../../support/secret.ts";
import { parsedJson } from "../../support/json.ts";

/** A host's certificate with its key, as the cluster has it and as the secret store keeps it. */
export interface Certificate {
  readonly host: string;
  /** Address of the ACME directory that it was ordered at. */
  readonly directory: string;
  /** PEM, the host's own first. */
  readonly chain: string;
  /** PEM. */
  readonly key: Secret;
  /** PEM of the authority's roots where nobody knows them: a lab's authority goes with its lab, a certificate may stay. */
  readonly roots?: string | undefined;
}

const keptShape = z.object({
  host: z.string(),
  directory: z.string(),
  chain: z.string(),
  key: z.string(),
  roots: z.string().optional(),
});

/** As it stands in the secret store. */
export function keptCertificate({ host, directory, chain, key, roots }: Certificate): Secret {
  return new Secret(JSON.stringify({ host, directory, chain, key: key.reveal(), roots }));
}

/** Undefined where it is not one that castle kept. */
export function readKept(kept: Secret): Certificate | undefined {
  const found = keptShape.safeParse(parsedJson(kept.reveal())).data;
  return found === undefined ? undefined : { ...found, key: new Secret(found.key) };
}

/** Until when the certificate serves its host; undefined: not at all, or not any more. */
export function servesUntil({ host, chain }: Certificate, now: Date): Date | undefined {
  try {
    const leaf = new X509Certificate(chain);
    const until = new Date(leaf.validTo);
    return leaf.checkHost(host) !== undefined && now < until ? until : undefined;
  } catch {
    return undefined;
  }
}
