import type { SecretStore } from "./store.ts";

/** The secret that opens, in the cluster, what people encrypt for it in Git. */
export const SOPS_KEY = "sops-age-key";

/**
 * Whom people encrypt the Secrets of their own for: `sops encrypt --age RECIPIENT`. Public.
 * @returns an age recipient; undefined before the castle has a platform
 */
export async function sopsRecipient(store: Pick<SecretStore, "get">): Promise<string | undefined> {
  const identity = await store.get(SOPS_KEY);
  if (identity === undefined) return undefined;
  const { identityToRecipient } = await import("age-encryption");
  return identityToRecipient(identity.reveal());
}
