import type { Secret } from "../support/secret.ts";

/** What castle keeps outside the machines, so that a lost `.castle/` folder loses nothing. */
export const secretNames = [
  "talos-secrets",
  "talosconfig",
  "kubeconfig",
  "disk-key",
  "monitoring-webhook",
] as const;
export type SecretName = (typeof secretNames)[number];

export interface SecretStore {
  /** For people: which store this is, for example the file's path. */
  readonly description: string;
  /** @throws CastleError secrets/unreadable */
  get(name: SecretName): Promise<Secret | undefined>;
  /** Keeps the values; writes nothing when all of them are already there. */
  put(values: Readonly<Partial<Record<SecretName, Secret>>>): Promise<void>;
}
