import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { SecretName, SecretStore } from "../../secrets/store.ts";
import { type Certificate, keptCertificate, readKept, servesUntil } from "./certificate.ts";
import { type SiteHost, clusterCertificate, createClusterCertificate } from "./cluster-certificate.ts";

export interface Escrow {
  readonly api: KubernetesApi;
  readonly store: SecretStore;
  readonly sites: readonly SiteHost[];
  readonly now: Date;
  /** PEM of the authority's roots, to be kept with what it issued. */
  readonly roots?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps every certificate of the cluster that is newer than the one in the secret store.
 * @returns the hosts whose certificates were kept now
 */
export async function escrowCertificates(escrow: Escrow): Promise<readonly string[]> {
  const { api, store, sites, now, roots, signal } = escrow;
  const newer = await Promise.all(
    sites.map(async (site) => {
      const found = await clusterCertificate(api, site, signal);
      const until = found === undefined ? undefined : servesUntil(found, now);
      if (found === undefined || until === undefined) return [];
      const kept = await keptFor(store, site);
      const keptUntil = kept?.directory === found.directory ? servesUntil(kept, now) : undefined;
      return keptUntil !== undefined && keptUntil >= until ? [] : [found];
    }),
  );
  const certificates = newer.flat();
  if (certificates.length === 0) return [];
  await store.put(
    Object.fromEntries(
      certificates.map((certificate) => [
        secretName(certificate.host),
        keptCertificate({ ...certificate, roots }),
      ]),
    ),
  );
  return certificates.map(({ host }) => host);
}

/** PEM of the roots that the kept certificates need; undefined where everybody knows them. */
export async function keptRoots({
  store,
  sites,
}: Pick<Escrow, "store" | "sites">): Promise<string | undefined> {
  const kept = await Promise.all(sites.map((site) => keptFor(store, site)));
  const roots = kept.flatMap((certificate) => certificate?.roots ?? []);
  return roots.length === 0 ? undefined : roots.join("\n");
}

/**
 * Puts kept certificates where the cluster has none, before anything there can ask for new ones: an ACME server gives
 * a few a week. One from another directory than the castle's would be replaced at once, and stays where it is.
 * @returns the hosts whose certificates were restored
 */
export async function restoreCertificates(
  escrow: Escrow & { readonly directory: string },
): Promise<readonly string[]> {
  const { api, store, sites, now, signal, directory } = escrow;
  const restored = await Promise.all(
    sites.map(async (site) => {
      const kept = await keptFor(store, site);
      if (kept?.directory !== directory || servesUntil(kept, now) === undefined) return [];
      return (await createClusterCertificate(api, site, kept, signal)) ? [site.host] : [];
    }),
  );
  return restored.flat();
}

async function keptFor(store: SecretStore, { host }: SiteHost): Promise<Certificate | undefined> {
  const kept = await store.get(secretName(host));
  const certificate = kept === undefined ? undefined : readKept(kept);
  return certificate?.host === host ? certificate : undefined;
}

function secretName(host: string): SecretName {
  return `certificate-${host}`;
}
