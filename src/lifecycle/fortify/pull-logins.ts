import { z } from "zod";
import { applyObjects } from "../../kubernetes/apply.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { ensurePullSecret, pullSecretName, type PullLogin } from "../../kubernetes/pull-secret.ts";
import { siteNamespace } from "../../platform/site-names.ts";
import type { SecretStore } from "../../secrets/store.ts";
import { parsedJson } from "../../support/json.ts";
import { Secret } from "../../support/secret.ts";

const keptShape = z.object({ scope: z.string(), username: z.string(), password: z.string() });

/** Keeps what nodes pull a site's image with, so that a castle that is raised again shows the site without its author. */
export async function keepPullLogin(
  store: SecretStore,
  site: string,
  { scope, username, password }: PullLogin,
): Promise<void> {
  const kept = JSON.stringify({ scope, username, password: password.reveal() });
  await store.put({ [`pull-${site}`]: new Secret(kept) });
}

interface Kept {
  /** Names. */
  readonly sites: readonly string[];
  readonly store: SecretStore;
  readonly signal: AbortSignal;
}

/** Puts every kept login into the cluster, before Flux brings the pods that need it. @returns the sites */
export async function restorePullSecrets(
  { sites, store, signal }: Kept,
  api: KubernetesApi,
): Promise<readonly string[]> {
  const restored = await Promise.all(
    sites.map(async (site) => {
      const login = await keptLogin(store, site);
      if (login === undefined) return [];
      const namespace = siteNamespace(site);
      // Flux brings the rest of the namespace.
      const bare = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
      await applyObjects(api, [bare], { signal });
      const place = { namespace, account: "default", name: pullSecretName(site) };
      await ensurePullSecret(api, place, login, signal);
      return [site];
    }),
  );
  return restored.flat();
}

async function keptLogin(store: SecretStore, site: string): Promise<PullLogin | undefined> {
  const kept = await store.get(`pull-${site}`);
  const found = kept === undefined ? undefined : keptShape.safeParse(parsedJson(kept.reveal())).data;
  return found === undefined ? undefined : { ...found, password: new Secret(found.password) };
}
