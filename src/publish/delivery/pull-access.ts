import { CastleError } from "../../errors/castle-error.ts";
import {
  ensurePullSecret,
  pullSecretName,
  type PullLogin,
  type PullPlace,
} from "../../kubernetes/pull-secret.ts";
import { pullScope } from "../../image/image-name.ts";
import { isFailure } from "../../errors/failure.ts";
import type { RegistryClient } from "../../image/registry-client.ts";
import type { RegistryCredentials } from "../../image/registry-credentials.ts";
import type { Delivery, DeliveryCluster, ReleaseName } from "./delivery.ts";
import type { LivePlace } from "./manifest-place.ts";
import type { DeliveryRun } from "./run.ts";
import { readWorkload, type Workload, workloadsOf } from "./workload.ts";

/** A login that nodes may be given, where the image is not for everybody. */
export interface PullAccess {
  readonly credentials: RegistryCredentials;
  /** For people: where it was found. */
  readonly source: string;
  /** The same registry, asked by nobody in particular. */
  readonly anonymous: RegistryClient;
  /** Keeps it for a cluster that is raised again; undefined: there is no castle to raise. */
  readonly keep: ((login: PullLogin) => Promise<void>) | undefined;
}

const DEFAULT_ACCOUNT = "default";

/**
 * Before a private image becomes the wanted one, the pods that will run it can pull it. What everybody may pull needs
 * no login, and none is put anywhere.
 * @throws CastleError kubernetes/…, image/registry-unreachable
 */
export async function ensurePullAccess(
  delivery: Delivery,
  run: DeliveryRun,
  { release, live }: { readonly release: ReleaseName; readonly live: LivePlace },
): Promise<void> {
  const { pull, cluster, report } = delivery;
  if (pull === undefined || cluster === undefined) return;
  const step = { phase: "registry", step: "pull-secret", title: "Pull secret" } as const;
  await run.phase(step, async () => {
    if (await isPublic(pull.anonymous, delivery.image.repository, release.digest)) {
      return { detail: "everybody may pull the image" };
    }
    const { credentials } = pull;
    if ("identityToken" in credentials) {
      const message = `${pull.source} holds an identity token, which no kubelet understands: nodes need a login of their own for ${delivery.site.image}`;
      report({ type: "warning", message });
      return { detail: "none: the login is an identity token" };
    }
    const login = { ...credentials, scope: pullScope(delivery.image) };
    const places = await placesOf(delivery, cluster, live);
    if (places.length === 0) return { detail: "the manifests name their own" };
    await pull.keep?.(login);
    const refused = await putAll(cluster, places, login, delivery.signal);
    if (refused !== undefined) report({ type: "warning", message: refused });
    return { detail: refused === undefined ? places.map(placeText).join(", ") : "not put" };
  });
}

/** Who may not write Secrets may still publish: nodes may have logins of their own. @returns why not */
async function putAll(
  { api }: DeliveryCluster,
  places: readonly PullPlace[],
  login: PullLogin,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await Promise.all(places.map((place) => ensurePullSecret(api, place, login, signal)));
    return undefined;
  } catch (error) {
    if (!(error instanceof CastleError) || error.details["status"] !== 403) throw error;
    return `The image is private, and this kubeconfig may not write its pull secret: ${error.message}`;
  }
}

function placeText({ namespace, name }: PullPlace): string {
  return `${namespace}/${name}`;
}

/** A registry may hide what is private behind a 404. */
async function isPublic(anonymous: RegistryClient, repository: string, digest: string): Promise<boolean> {
  try {
    return (await anonymous.digest(repository, digest)) === digest;
  } catch (error) {
    if (isFailure(error) && error.code === "image/registry-refused") return false;
    throw error;
  }
}

/** Of every Deployment that runs the image, unless its manifest names pull secrets of its own. */
async function placesOf(
  { site, signal }: Delivery,
  { api }: DeliveryCluster,
  { place: { object } }: LivePlace,
): Promise<readonly PullPlace[]> {
  const name = pullSecretName(site.name);
  const named = object?.namespace === undefined ? undefined : { ...object, namespace: object.namespace };
  const found =
    named === undefined
      ? await workloadsOf(api, site.image, signal)
      : [await readWorkload(api, named, signal)].filter((one) => one !== undefined);
  if (found.length === 0 && named !== undefined) {
    return [{ namespace: named.namespace, account: DEFAULT_ACCOUNT, name }];
  }
  const places = found.filter((one) => isForUs(one, name)).map((one) => placeOf(one, name));
  return [...new Map(places.map((one) => [`${one.namespace}/${one.account}`, one])).values()];
}

/** The API server adds nothing to a pod that names its own. */
function isForUs({ spec }: Workload, name: string): boolean {
  const { imagePullSecrets = [] } = spec.template.spec;
  return imagePullSecrets.length === 0 || imagePullSecrets.some((one) => one.name === name);
}

function placeOf({ metadata: { namespace }, spec }: Workload, name: string): PullPlace {
  return { namespace, account: spec.template.spec.serviceAccountName ?? DEFAULT_ACCOUNT, name };
}
