import type { KubernetesApi } from "../../kubernetes/api.ts";
import { acmeConfig } from "../../platform/acme-config.ts";
import type { CastleRun } from "../castle-run.ts";
import { escrowCertificates, keptRoots, restoreCertificates } from "../certificates/escrow.ts";
import type { PlatformGround } from "../ground/ground.ts";

/** Who issues certificates, where it is the ground's own; with all the roots that certificates are believed by. */
export interface Authority {
  readonly acme: PlatformGround["acme"] | undefined;
}

/** Puts the certificates of an earlier life into the cluster, before Flux brings what would ask for new ones. */
export async function restoreKept(
  { castle, store, now, signal }: CastleRun,
  api: KubernetesApi,
  { acme }: PlatformGround,
): Promise<Authority & { readonly restored: readonly string[] }> {
  const { sites = [], ingress } = castle;
  if (ingress?.tls === undefined) return { restored: [], acme };
  const { directory } = acmeConfig(castle, acme);
  const escrow = { api, store, sites, now: now(), signal };
  const restored = await restoreCertificates({ ...escrow, directory });
  const roots = acme === undefined ? undefined : await keptRoots(escrow);
  if (acme === undefined || roots === undefined) return { restored, acme };
  return { restored, acme: { ...acme, roots: await acme.addRoots(roots) } };
}

/** Keeps what was issued or renewed. */
export async function keepIssued(
  { castle, store, now, signal }: CastleRun,
  api: KubernetesApi,
  { acme }: Authority,
): Promise<readonly string[]> {
  const { sites = [] } = castle;
  return escrowCertificates({ api, store, sites, now: now(), roots: acme?.roots, signal });
}
