import { z } from "zod";
import { KubernetesApi } from "../kubernetes/api.ts";
import { FLUX_NAMESPACE } from "../platform/flux-controller.ts";
import { SITE_CERTIFICATE, siteNamespace } from "../platform/site-names.ts";
import { SOPS_SECRET } from "../platform/synchronisation.ts";
import { SOPS_KEY } from "../secrets/sops.ts";
import type { SecretName } from "../secrets/store.ts";
import type { Secret } from "../support/secret.ts";
import type { CastleRun } from "./castle-run.ts";
import { readKept } from "./certificates/certificate.ts";
import { clusterCertificate } from "./certificates/cluster-certificate.ts";
import { GIT_SECRET, gitAccess } from "./fortify/git-access.ts";
import { sha256 } from "../support/sha256.ts";

/** One secret that the store keeps for the castle, and the castle uses: by fingerprints, never by value. */
export interface KeptAndLive {
  readonly name: SecretName;
  readonly object: string;
  readonly kept: string | undefined;
  readonly live: string | undefined;
}

export interface SecretsInStep {
  readonly description: string;
  readonly pairs: readonly KeptAndLive[];
  /** Names of what the store could not take yet. */
  readonly pending: readonly string[];
}

type LookRun = Pick<CastleRun, "castle" | "ground" | "store" | "signal">;

/**
 * Compares the secret store with the Secrets that castle itself puts into the cluster.
 * @throws CastleError secrets/…, kubernetes/…, lifecycle/not-raised
 */
export async function secretsInStep(run: LookRun, kubeconfig: Secret | undefined): Promise<SecretsInStep> {
  const { castle, store } = run;
  const pending = (await store.list()).flatMap((secret) => (secret.pending ? [secret.name] : []));
  const { description } = store;
  if (castle.gitops === undefined || kubeconfig === undefined) return { description, pairs: [], pending };
  const api = new KubernetesApi(kubeconfig);
  try {
    const pairs = await Promise.all([
      sopsKey(run, api),
      gitLogin(run, api),
      ...(castle.ingress?.tls === undefined ? [] : (castle.sites ?? [])).map((site) =>
        certificate(run, api, site),
      ),
    ]);
    return { description, pairs: pairs.flat(), pending };
  } finally {
    api.close();
  }
}

async function sopsKey({ store, signal }: LookRun, api: KubernetesApi): Promise<readonly KeptAndLive[]> {
  const [kept, live] = await Promise.all([store.get(SOPS_KEY), fluxSecret(api, SOPS_SECRET, signal)]);
  return [
    {
      name: SOPS_KEY,
      object: `Secret ${FLUX_NAMESPACE}/${SOPS_SECRET}`,
      kept: fingerprint(kept?.reveal()),
      live: fingerprint(live?.["castle.agekey"]),
    },
  ];
}

async function gitLogin(run: LookRun, api: KubernetesApi): Promise<readonly KeptAndLive[]> {
  const { secret } = await gitAccess(run, await run.ground.platform());
  if (secret === undefined) return [];
  const live = await fluxSecret(api, GIT_SECRET, run.signal);
  return [
    {
      name: "gitops-credentials",
      object: `Secret ${FLUX_NAMESPACE}/${GIT_SECRET}`,
      kept: fingerprint(sorted(secret)),
      live: fingerprint(sorted(live)),
    },
  ];
}

async function certificate(
  { store, signal }: LookRun,
  api: KubernetesApi,
  site: { readonly name: string; readonly host: string },
): Promise<readonly KeptAndLive[]> {
  const name: SecretName = `certificate-${site.host}`;
  const [kept, live] = await Promise.all([store.get(name), clusterCertificate(api, site, signal)]);
  // Not issued yet: there is nothing to keep.
  if (live === undefined) return [];
  return [
    {
      name,
      object: `Secret ${siteNamespace(site.name)}/${SITE_CERTIFICATE}`,
      kept: fingerprint(kept === undefined ? undefined : readKept(kept)?.chain),
      live: fingerprint(live.chain),
    },
  ];
}

const secretShape = z.object({ data: z.record(z.string(), z.string()).default({}) });

async function fluxSecret(
  api: KubernetesApi,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const path = `/api/v1/namespaces/${FLUX_NAMESPACE}/secrets/${name}`;
  const { status, body } = await api.call({ path, signal });
  if (status !== 200) return undefined;
  const { data } = secretShape.parse(body);
  return Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString("utf8")]),
  );
}

/** Enough to tell two apart, and nothing of either. */
function fingerprint(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return `sha256:${sha256(text).slice(0, 12)}`;
}

function sorted(words: Readonly<Record<string, string>> | undefined): string | undefined {
  if (words === undefined) return undefined;
  return JSON.stringify(Object.entries(words).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
