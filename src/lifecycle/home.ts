import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Where a castle keeps what it knows: `.castle/NAME/` beside the spec, mode 0700. A cache of what the secret store
 * and the machines know; losing it loses nothing.
 */
export interface CastleHome {
  readonly folder: string;
  readonly journal: string;
  readonly terraform: string;
  /** Secrets bundle and machine configs. */
  readonly talos: string;
  /** castle's copy of the GitOps repository, and the images that it makes. */
  readonly gitops: string;
  readonly images: string;
  readonly kubeconfig: string;
  readonly talosconfig: string;
  readonly lock: string;
  /** Names, addresses, MACs and VM ids: who has them, and who had them. */
  readonly ledger: string;
  /** Encrypted: what a secret store that may be away was last known to hold. */
  readonly secretsCopy: string;
  /** Encrypted: what such a store does not hold yet. */
  readonly secretsWaiting: string;
}

export async function castleHome(specFolder: string, name: string): Promise<CastleHome> {
  const home = homeOf(specFolder, name);
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  return home;
}

/** The same without making it. */
export function homeOf(specFolder: string, name: string): CastleHome {
  const folder = join(specFolder, ".castle", name);
  return {
    folder,
    journal: join(folder, "journal"),
    terraform: join(folder, "terraform"),
    talos: join(folder, "talos"),
    gitops: join(folder, "gitops"),
    images: join(folder, "images"),
    kubeconfig: join(folder, "kubeconfig"),
    talosconfig: join(folder, "talosconfig"),
    lock: join(folder, "lock"),
    ledger: join(folder, "ledger.json"),
    secretsCopy: join(folder, "secrets-copy.age"),
    secretsWaiting: join(folder, "secrets-waiting.age"),
  };
}
