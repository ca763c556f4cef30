import { X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";

/** Who a castle is, as far as everybody may know it. */
export interface ClusterIdentity {
  /** Talos' id of the cluster. */
  readonly id: string;
  /** SHA-256 of the certificate of the authority that its nodes trust. */
  readonly authority: string;
}

const bundleShape = z.object({
  cluster: z.object({ id: z.string() }),
  certs: z.object({ os: z.object({ crt: z.string() }) }),
});

/** Of a secrets bundle as `talosctl gen secrets` wrote it. @throws CastleError talos/malformed */
export function clusterIdentity(bundle: Secret): ClusterIdentity {
  try {
    const { cluster, certs } = bundleShape.parse(parse(bundle.reveal()));
    const authority = new X509Certificate(Buffer.from(certs.os.crt, "base64"));
    return { id: cluster.id, authority: authority.fingerprint256.replaceAll(":", "").toLowerCase() };
  } catch {
    // Without the cause: what a parser says may quote a secret.
    throw new CastleError("talos/malformed", {
      message: "The castle's Talos secrets are no bundle that talosctl wrote",
    });
  }
}
