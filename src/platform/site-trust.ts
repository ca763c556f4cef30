import type { Castle } from "../spec/castle.ts";

/** Which certificates of a castle's sites are believed. */
export interface SiteTrust {
  /** PEM of the roots; undefined: those that this machine trusts. */
  readonly ca: string | undefined;
  /** False: the staging authority, which is in no machine's trust. */
  readonly verified: boolean;
}

/** @param roots PEM of the roots of an authority of the ground's own, which stands instead of the spec's */
export function siteTrust({ ingress }: Castle, roots: string | undefined): SiteTrust {
  const tls = ingress?.tls;
  return { ca: roots ?? tls?.ca, verified: roots !== undefined || tls?.acme !== "letsencrypt-staging" };
}
