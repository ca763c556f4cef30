import { CastleError } from "../errors/castle-error.ts";
import { Secret } from "../support/secret.ts";
import { sha256 } from "../support/sha256.ts";

/** What castle keeps outside the machines, so that a lost `.castle/` folder loses nothing; certificates by host, pull logins by site. */
export type SecretName =
  | (typeof SINGLE)[number]
  | `certificate-${string}`
  /** What nodes pull a site's image with. */
  | `pull-${string}`
  /** Who the castle was before `rebuild --new-identity`, by the start of a hash. */
  | `${typeof FORMER}${string}`;

const FORMER = "former-talos-secrets-";

const SINGLE = [
  "talos-secrets",
  "talosconfig",
  "kubeconfig",
  "disk-key",
  "gitops-credentials",
  "sops-age-key",
  "monitoring-webhook",
] as const;

/** Others may lie beside them: a newer castle's, or a person's. */
export function isSecretName(name: string): name is SecretName {
  return (
    ["certificate-", "pull-", FORMER].some((start) => name.startsWith(start)) ||
    SINGLE.some((single) => single === name)
  );
}

export type SecretValues = Readonly<Partial<Record<SecretName, Secret>>>;

export interface KeptSecret {
  readonly name: string;
  /** When it was last written, ISO 8601. */
  readonly kept: string;
  /** Not in the store yet, because that did not answer. */
  readonly pending: boolean;
}

export interface SecretStore {
  /** For people: which store this is, for example the file's path. */
  readonly description: string;
  /** @throws CastleError secrets/… */
  get(name: SecretName): Promise<Secret | undefined>;
  /**
   * Keeps the values; writes nothing when all of them are already there.
   * @throws CastleError secrets/conflict where the store holds another castle's Talos secrets
   */
  put(values: SecretValues): Promise<void>;
  /** Sorted by name; never a value. */
  list(): Promise<readonly KeptSecret[]>;
  /** Writes what the store could not take when it was put. @returns the names of it */
  sync(): Promise<readonly string[]>;
}

/** Everything that a store holds, by its name. */
export async function valuesOf(store: SecretStore): Promise<SecretValues> {
  const names = (await store.list()).map(({ name }) => name).filter(isSecretName);
  const values = await Promise.all(names.map(async (name) => [name, await store.get(name)] as const));
  return Object.fromEntries(values);
}

/** The name under which these Talos secrets are kept once others stand in their place. */
export function formerName(bundle: Secret): SecretName {
  const hash = sha256(bundle.reveal());
  return `${FORMER}${hash.slice(0, 12)}`;
}

/**
 * Talos' secrets are who a castle is: others in their place are another castle's, and whatever is put beside them would be
 * mixed with its own. They change only where the old ones are kept under their former name, before or together.
 * @param holds what the store has under a name, or is given in the same call
 * @throws CastleError secrets/conflict
 */
export function refuseOtherCastle(
  description: string,
  kept: string | undefined,
  put: Secret | undefined,
  holds: (name: SecretName) => string | undefined,
): void {
  if (kept === undefined || put === undefined || kept === put.reveal()) return;
  if (holds(formerName(new Secret(kept))) === kept) return;
  throw new CastleError("secrets/conflict", {
    message: `${description} holds the Talos secrets of another castle of that name, and they are not overwritten`,
    hint: "give this castle another name in castle.yaml; if the other one is gone for good, delete its secrets from the store, then: castle secrets sync",
  });
}
