import type { Castle } from "../spec/castle.ts";
import type { Component } from "./component.ts";
import { definition } from "./definition.ts";
import { plain, secure, servicePort } from "./entry-points.ts";
import { labels, selector } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { podSecurity } from "./pod.ts";
import { ingressAddress } from "./pool.ts";
import type { SourceObjects } from "./sources.ts";
import type { PlatformImages } from "./surroundings.ts";
import { RETRY, traefikDeployment } from "./traefik-deployment.ts";
import { relabelled } from "./upstream.ts";

const NAME = "traefik";
export const TRAEFIK_NAMESPACE = "traefik";
/** The Service that has the castle's ingress address. */
export const TRAEFIK_SERVICE = NAME;
const namespace = TRAEFIK_NAMESPACE;
const ACCOUNT = "traefik-ingress-controller";

/** A folder of their own, so that routes of sites and certificates need not wait for Traefik to run. */
export function traefikDefinitions(sources: SourceObjects): Component {
  const name = "traefik-crds";
  return {
    name,
    dependsOn: [],
    files: {
      "crds.yaml": sources.definitions("traefik.io").map((upstream) => definition(upstream, name, NAME)),
    },
  };
}

export function traefik(castle: Castle, sources: SourceObjects, images: PlatformImages): Component {
  const metadata = { name: NAME, namespace, labels: labels(NAME, NAME) };
  return {
    name: NAME,
    dependsOn: ["traefik-crds"],
    files: {
      "namespace.yaml": [
        {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: namespace, labels: { ...labels(NAME, NAME), ...podSecurity("restricted") } },
        },
      ],
      "rbac.yaml": rbac(sources),
      "deployment.yaml": [
        traefikDeployment(castle, { namespace, account: NAME, image: images.traefik }),
        {
          apiVersion: "policy/v1",
          kind: "PodDisruptionBudget",
          metadata,
          spec: { maxUnavailable: 1, selector: { matchLabels: selector(NAME, NAME) } },
        },
      ],
      "service.yaml": [service(castle)],
      "middleware.yaml": [
        {
          apiVersion: "traefik.io/v1alpha1",
          kind: "Middleware",
          metadata: { ...metadata, name: RETRY },
          // Another replica of a site answers when the first could not be reached; a request that was sent is not
          // repeated.
          spec: { retry: { attempts: 6, initialInterval: "10ms" } },
        },
        {
          apiVersion: "networking.k8s.io/v1",
          kind: "IngressClass",
          metadata: {
            name: NAME,
            labels: labels(NAME, NAME),
            annotations: { "ingressclass.kubernetes.io/is-default-class": "true" },
          },
          spec: { controller: "traefik.io/ingress-controller" },
        },
      ],
    },
  };
}

/**
 * Local, not Cluster: only a node that runs Traefik announces the address, and hands requests to that pod alone. The
 * loss of any other node then loses no request on this hop, where Cluster would go on sending every second
 * connection to a dead pod until Kubernetes notices after most of a minute; and the access log shows the visitor's
 * address instead of a node's.
 */
function service(castle: Castle): Manifest {
  const address = ingressAddress(castle);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: NAME,
      namespace,
      labels: labels(NAME, NAME),
      ...(address === undefined ? {} : { annotations: { "metallb.io/loadBalancerIPs": address } }),
    },
    spec: {
      allocateLoadBalancerNodePorts: false,
      externalTrafficPolicy: "Local",
      ports: [plain, secure].map(servicePort),
      selector: selector(NAME, NAME),
      type: "LoadBalancer",
    },
  };
}

function rbac(sources: SourceObjects): Manifest[] {
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: NAME, namespace, labels: labels(NAME, NAME) },
    },
    relabelled(sources.one(NAME, "ClusterRole", ACCOUNT), NAME, NAME),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: ACCOUNT, labels: labels(NAME, NAME) },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: ACCOUNT },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace }],
    },
  ];
}
