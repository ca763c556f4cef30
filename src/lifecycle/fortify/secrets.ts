import { OWN_LABELS } from "../../kubernetes/castle-secrets.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { FLUX_NAMESPACE } from "../../platform/flux-controller.ts";
import { SOPS_SECRET } from "../../platform/synchronisation.ts";
import { SOPS_KEY } from "../../secrets/sops.ts";
import { Secret } from "../../support/secret.ts";
import type { CastleRun } from "../castle-run.ts";
import { GIT_SECRET, type GitAccess } from "./git-access.ts";

/** The Secrets that Flux needs before it reads the repository; the keys come from the secret store and are kept there. */
export async function fluxSecrets(
  { store }: Pick<CastleRun, "store">,
  { secret }: GitAccess,
): Promise<readonly KubernetesObject[]> {
  const identity = await sopsIdentity(store);
  return [
    ownSecret(SOPS_SECRET, { "castle.agekey": identity.reveal() }),
    ...(secret === undefined ? [] : [ownSecret(GIT_SECRET, secret)]),
  ];
}

function ownSecret(name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: FLUX_NAMESPACE, labels: OWN_LABELS },
    type: "Opaque",
    data: Object.fromEntries(encoded),
  };
  return secret;
}

/** The age identity that opens what lies encrypted in Git; made once in a castle's life. */
async function sopsIdentity(store: CastleRun["store"]): Promise<Secret> {
  const kept = await store.get(SOPS_KEY);
  if (kept !== undefined) return kept;
  const { generateIdentity } = await import("age-encryption");
  const made = new Secret(await generateIdentity());
  await store.put({ [SOPS_KEY]: made });
  return made;
}
