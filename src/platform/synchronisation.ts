import type { Castle } from "../spec/castle.ts";
import type { Component } from "./component.ts";
import { FLUX_NAMESPACE } from "./flux-controller.ts";
import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import type { Surroundings } from "./surroundings.ts";

type Gitops = NonNullable<Castle["gitops"]>;

/** Holds the age identity that decrypts what lies encrypted in Git, under a key that ends in .agekey. */
export const SOPS_SECRET = "sops-age";

/** The Kustomization of Flux itself, and the GitRepository that a user's own Kustomizations follow as well. */
export const SYNC_NAME = "flux-system";

/** castle's folder in the repository, without a slash at its ends. */
export function generatedFolder({ path }: Gitops): string {
  return `${path}/castle`;
}

/** The folder of the user's changes to what castle generates, a folder in it for each component; no slash at its ends. */
export function overridesFolder({ path }: Gitops): string {
  return `${path}/overrides`;
}

/** Polled this often, a plain push is applied within a minute, the objects' health included. */
const GIT_INTERVAL = "20s";
/** What somebody changed by hand in the cluster is put right within this. */
const DRIFT_INTERVAL = "1m";
const RETRY_INTERVAL = "5s";
const TIMEOUT = "3m";

/**
 * A component waits for another until that one has stood once. From then on a push reaches all of them at the same time:
 * without this each would wait until the other runs the very same revision.
 */
const STANDS = "has(dep.status) && has(dep.status.lastAppliedRevision)";

/**
 * Where Flux looks, and what it applies in which order. Each component follows the repository by a GitRepository of its
 * own: whoever knows which folder changed makes Flux fetch that one, and the others do not compete for the API servers.
 */
export function synchronisation(
  gitops: Gitops,
  repository: Surroundings["repository"],
  components: readonly Component[],
): Readonly<Record<string, readonly Manifest[]>> {
  return {
    "sources.yaml": [SYNC_NAME, ...components.map(({ name }) => name)].map((name) =>
      gitRepository(gitops, repository, name),
    ),
    "order.yaml": [
      kustomization(gitops, SYNC_NAME, healthChecks(fluxWorkloads)),
      ...components.map(({ name, dependsOn, files }) =>
        kustomization(gitops, name, {
          ...(dependsOn.length === 0
            ? {}
            : { dependsOn: dependsOn.map((name) => ({ name, readyExpr: STANDS })) }),
          ...healthChecks(Object.values(files).flat()),
        }),
      ),
    ],
  };
}

/** Flux' own, which are made together with the objects that are made here. */
const fluxWorkloads = ["source-controller", "kustomize-controller"].map((name) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: FLUX_NAMESPACE },
}));

const WORKLOADS = new Set(["DaemonSet", "Deployment", "StatefulSet"]);

/**
 * A component counts as applied when its workloads are healthy. `wait: true` would ask for every object once more after
 * each apply, and only these can be anything but what they were applied as.
 */
function healthChecks(objects: readonly Manifest[]): object {
  const checks = objects
    .filter(({ kind }) => WORKLOADS.has(kind))
    .map(({ apiVersion, kind, metadata: { name, namespace } }) => ({ apiVersion, kind, name, namespace }));
  return checks.length === 0 ? {} : { healthChecks: checks };
}

function gitRepository(
  { branch }: Gitops,
  { url, secret }: Surroundings["repository"],
  name: string,
): Manifest {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "GitRepository",
    metadata: { name, namespace: FLUX_NAMESPACE, labels: labels(name, name) },
    spec: {
      interval: GIT_INTERVAL,
      ref: { branch },
      ...(secret === undefined ? {} : { secretRef: { name: secret } }),
      timeout: "20s",
      url,
    },
  };
}

function kustomization(gitops: Gitops, name: string, spec: object): Manifest {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: FLUX_NAMESPACE, labels: labels(name, name) },
    spec: {
      decryption: { provider: "sops", secretRef: { name: SOPS_SECRET } },
      interval: DRIFT_INTERVAL,
      path: `./${generatedFolder(gitops)}/${name}`,
      prune: true,
      retryInterval: RETRY_INTERVAL,
      sourceRef: { kind: "GitRepository", name },
      timeout: TIMEOUT,
      wait: false,
      ...spec,
    },
  };
}
