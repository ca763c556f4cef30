import { X509Certificate } from "node:crypto";
import { readCredentials as readKubeconfig } from "../kubernetes/credentials.ts";
import type { Secret } from "../support/secret.ts";
import { readCredentials, talosconfigTargets } from "../talos/talosconfig.ts";
import type { CastleRun } from "./castle-run.ts";

interface ClientCertificate {
  /** PEM. */
  readonly authority: string;
  readonly certificate: string;
  /** Where it leads. */
  readonly leads: string;
}

const clients: Readonly<Record<"kubeconfig" | "talosconfig", (kept: Secret) => ClientCertificate>> = {
  kubeconfig: (kept) => {
    const { server, tls } = readKubeconfig(kept);
    return { authority: String(tls.ca), certificate: String(tls.cert), leads: server.href };
  },
  talosconfig: (kept) => ({
    ...readCredentials(kept),
    leads: JSON.stringify(talosconfigTargets(kept)),
  }),
};

/**
 * Keeps a credential for those who log in later. Nodes make a new one each time, so the one that is kept stays until
 * half of its life is over; or until the castle has another authority, or other addresses.
 */
export async function keepCredential(
  { store, now }: Pick<CastleRun, "store" | "now">,
  name: keyof typeof clients,
  fresh: Secret,
): Promise<void> {
  const kept = await store.get(name);
  const client = clients[name];
  if (kept !== undefined && stillServes(client(kept), client(fresh), now())) return;
  await store.put({ [name]: fresh });
}

/** @returns false too for a certificate that cannot be read */
export function stillServes(kept: ClientCertificate, fresh: ClientCertificate, now: Date): boolean {
  if (kept.authority !== fresh.authority || kept.leads !== fresh.leads) return false;
  try {
    const { validFrom, validTo } = new X509Certificate(kept.certificate);
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    return now.getTime() < from + (to - from) / 2;
  } catch {
    return false;
  }
}
