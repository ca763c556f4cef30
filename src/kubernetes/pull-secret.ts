import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";
import type { KubernetesApi } from "./api.ts";
import { applyObjects } from "./apply.ts";
import { OWN_LABELS } from "./castle-secrets.ts";

/** What a node needs to pull one private image. */
export interface PullLogin {
  /** As the kubelet looks for it: `registry.lan/tazlab/blog`, or Docker Hub's own address. */
  readonly scope: string;
  readonly username: string;
  readonly password: Secret;
}

/** Pods of this account in this namespace get the login. */
export interface PullPlace {
  readonly namespace: string;
  readonly account: string;
  /** Of the Secret. */
  readonly name: string;
}

export function pullSecretName(site: string): string {
  return `castle-pull-${site}`;
}

/** How often somebody else may write the account between a look and a change. */
const TRIES = 5;

const accountShape = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  imagePullSecrets: z.array(z.object({ name: z.string() })).optional(),
});

/**
 * Puts the login into the cluster and names it at the account, by which the API server writes it into the spec of each
 * new pod: manifests in Git, castle's or anybody's, stay as they are. docs/decisions/pull-secrets.md says why.
 * @throws CastleError kubernetes/rejected, kubernetes/unreachable
 */
export async function ensurePullSecret(
  api: KubernetesApi,
  place: PullPlace,
  login: PullLogin,
  signal?: AbortSignal,
): Promise<void> {
  const options = { force: true, ...(signal === undefined ? {} : { signal }) };
  await applyObjects(api, [pullSecret(place, login)], options);
  for (let tries = 0; tries < TRIES; tries += 1) if (await named(api, place, signal)) return;
  throw refused(place, "somebody else writes it all the time");
}

function pullSecret({ namespace, name }: PullPlace, { scope, username, password }: PullLogin) {
  const auth = Buffer.from(`${username}:${password.reveal()}`).toString("base64");
  const config = { auths: { [scope]: { username, password: password.reveal(), auth } } };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: OWN_LABELS },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") },
  };
  return secret;
}

/**
 * The list has one owner as a whole, so that server-side apply would take others' names out of it: it is read, and
 * written only as long as nobody else has written it meanwhile.
 * @returns false: somebody has, look again
 */
async function named(
  api: KubernetesApi,
  place: PullPlace,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { namespace, account, name } = place;
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const found = await api.call({ path: `${accounts}/${account}`, signal });
  if (found.status === 404) {
    // In a namespace of a moment ago, the cluster's own controller comes second and leaves it.
    const body = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: account, namespace },
      imagePullSecrets: [{ name }],
    };
    const made = await api.call({
      method: "POST",
      path: `${accounts}?fieldManager=castle`,
      body,
      signal,
    });
    return settled(place, made.status);
  }
  const read = found.status === 200 ? accountShape.safeParse(found.body).data : undefined;
  if (read === undefined) throw refused(place, `status ${found.status}`);
  const { metadata, imagePullSecrets = [] } = read;
  if (imagePullSecrets.some((one) => one.name === name)) return true;
  const changed = await api.call({
    method: "PATCH",
    path: `${accounts}/${account}?fieldManager=castle`,
    body: {
      metadata: { resourceVersion: metadata.resourceVersion },
      imagePullSecrets: [...imagePullSecrets, { name }],
    },
    contentType: "application/merge-patch+json",
    signal,
  });
  return settled(place, changed.status);
}

function settled(place: PullPlace, status: number): boolean {
  if (status < 300) return true;
  if (status === 409) return false;
  throw refused(place, `status ${status}`, status);
}

function refused({ namespace, account }: PullPlace, why: string, status?: number): CastleError {
  return new CastleError("kubernetes/rejected", {
    message: `The service account ${namespace}/${account} cannot be given a pull secret: ${why}`,
    ...(status === undefined ? {} : { details: { status } }),
  });
}
