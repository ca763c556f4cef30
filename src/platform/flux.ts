import type { Component } from "./component.ts";
import { definition } from "./definition.ts";
import { FLUX_NAMESPACE, fluxController } from "./flux-controller.ts";
import { networkPolicies } from "./flux-network.ts";
import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { podSecurity } from "./pod.ts";
import type { SourceObjects } from "./sources.ts";
import type { PlatformImages } from "./surroundings.ts";
import { keptOnRemoval, relabelled } from "./upstream.ts";

const NAME = "flux-system";
const SOURCE = "source-controller";
const KUSTOMIZE = "kustomize-controller";

/** Flux as castle bootstraps it; from then on it applies this same folder to itself. */
export function flux(
  sources: SourceObjects,
  images: PlatformImages,
  synchronisation: Readonly<Record<string, readonly Manifest[]>>,
): Component {
  const metadata = {
    name: FLUX_NAMESPACE,
    labels: { ...labels(NAME, "flux"), ...podSecurity("restricted") },
  };
  const definitions = [
    ...sources.definitions("source.toolkit.fluxcd.io"),
    ...sources.definitions("kustomize.toolkit.fluxcd.io"),
  ];
  return {
    name: NAME,
    dependsOn: [],
    files: {
      "namespace.yaml": [keptOnRemoval({ apiVersion: "v1", kind: "Namespace", metadata })],
      "crds.yaml": definitions.map((upstream) => definition(upstream, NAME, "flux")),
      "network-policies.yaml": networkPolicies(),
      "source-controller.yaml": [
        ...access(sources, SOURCE),
        ...fluxController({
          name: SOURCE,
          image: images.sourceController,
          // A wrong deploy key that has been mended is tried again within half a minute, not a quarter of an hour.
          args: [
            "--storage-path=/data",
            `--storage-adv-addr=${SOURCE}.${FLUX_NAMESPACE}.svc.cluster.local.`,
            "--max-retry-delay=30s",
            // As many as castle's components: after a push of castle's own all of them are fetched at once.
            "--concurrent=8",
          ],
          artifacts: true,
        }),
      ],
      "kustomize-controller.yaml": [
        ...access(sources, KUSTOMIZE),
        clusterAdmin(),
        ...fluxController({
          name: KUSTOMIZE,
          image: images.kustomizeController,
          // Each Kustomization that waits for its objects' health keeps one worker: there is one for each, and some
          // for the user's own. What castle applied at the bootstrap becomes Flux' own at its first look.
          args: [
            "--concurrent=12",
            "--requeue-dependency=2s",
            "--override-manager=castle",
            "--feature-gates=CancelHealthCheckOnNewRevision=true",
          ],
          artifacts: false,
        }),
      ],
      ...synchronisation,
    },
  };
}

/** What a controller may do, in upstream's words, bound to an account of its own. */
function access(sources: SourceObjects, controller: string): Manifest[] {
  const role = relabelled(sources.one(controller, "ClusterRole", "manager-role"), NAME, controller);
  const election = relabelled(sources.one(controller, "Role", "leader-election-role"), NAME, controller);
  const shared = labels(NAME, controller);
  const namespace = FLUX_NAMESPACE;
  const subjects = [{ kind: "ServiceAccount", name: controller, namespace }];
  const electionName = `${controller}-leader-election`;
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: controller, namespace, labels: shared },
    },
    { ...role, metadata: { ...role.metadata, name: `flux-${controller}` } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: `flux-${controller}`, labels: shared },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `flux-${controller}` },
      subjects,
    },
    { ...election, metadata: { ...election.metadata, name: electionName, namespace } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: electionName, namespace, labels: shared },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: electionName },
      subjects,
    },
  ];
}

/** It applies whatever Git holds, roles among it, and nobody may give rights that he has not. */
function clusterAdmin(): Manifest {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "flux-cluster-reconciler", labels: labels(NAME, KUSTOMIZE) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: KUSTOMIZE, namespace: FLUX_NAMESPACE }],
  };
}
