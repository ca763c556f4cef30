import type { Castle } from "../spec/castle.ts";
import { certificateAccess } from "./certificates.ts";
import type { Component } from "./component.ts";
import { plain, secure } from "./entry-points.ts";
import { labels, selector } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { leavesDeadNodes, podSecurity, restrictedContainer, restrictedPod, spread } from "./pod.ts";
import { SITE, SITE_CERTIFICATE, siteNamespace } from "./site-names.ts";
import { platformImages, type Surroundings } from "./surroundings.ts";

type Site = NonNullable<Castle["sites"]>[number];

const COMPONENT = "sites";
/**
 * The service of the cluster's DNS: the tenth address of Talos' usual service network. An address, since nginx does not
 * start where a resolver's name is unknown; where it is another, assets of the other release are all that is missed.
 */
const CLUSTER_DNS = "10.96.0.10";
const PEERS = `${SITE}-peers`;
const HTTP = { name: "http", containerPort: 8080, protocol: "TCP" };

/** One file a site, in a namespace of its own. */
export function sites(castle: Castle, surroundings: Surroundings): Component {
  const all = castle.sites ?? [];
  return {
    name: COMPONENT,
    dependsOn: castle.ingress === undefined ? [] : ["traefik-crds"],
    files: Object.fromEntries(
      all.map((site) => [`${siteNamespace(site.name)}.yaml`, siteObjects(castle, site, surroundings)]),
    ),
  };
}

function siteObjects(castle: Castle, site: Site, surroundings: Surroundings): Manifest[] {
  const namespace = siteNamespace(site.name);
  const metadata = { name: SITE, namespace, labels: labels(COMPONENT, SITE) };
  const matchLabels = selector(COMPONENT, SITE);
  const image = surroundings.siteImages?.[site.name] ?? platformImages(castle, surroundings).placeholder;
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { ...labels(COMPONENT, SITE), ...podSecurity("restricted") } },
    },
    deployment(castle, { image, metadata, matchLabels }),
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels } },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        ports: [{ name: HTTP.name, port: 80, protocol: "TCP", targetPort: HTTP.name }],
        selector: matchLabels,
      },
    },
    ...peers(namespace, matchLabels),
    ...(castle.ingress === undefined ? [] : route(metadata, site, castle.ingress.tls !== undefined)),
    ...(castle.ingress?.tls === undefined ? [] : certificateAccess(namespace)),
  ];
}

interface Named {
  readonly image: string;
  readonly metadata: Manifest["metadata"];
  readonly matchLabels: Readonly<Record<string, string>>;
}

function deployment({ nodes }: Castle, { image, metadata, matchLabels }: Named): Manifest {
  const workers = nodes.filter(({ role }) => role === "worker").length;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      progressDeadlineSeconds: 120,
      replicas: 2,
      selector: { matchLabels },
      // All new pods at once beside the old ones: a release is out after one start, not after one a replica.
      strategy: { rollingUpdate: { maxSurge: "100%", maxUnavailable: 0 }, type: "RollingUpdate" },
      template: {
        metadata: { labels: labels(COMPONENT, SITE) },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: SITE,
              image,
              // Requests that were on their way while the pod was taken out of the Service are still answered.
              lifecycle: { preStop: { sleep: { seconds: 5 } } },
              ports: [HTTP],
              readinessProbe: {
                failureThreshold: 3,
                httpGet: { path: "/healthz", port: HTTP.name },
                periodSeconds: 1,
                // A busy node answers late; whoever answers late is not away.
                timeoutSeconds: 5,
              },
              resources: { limits: { memory: "128Mi" }, requests: { cpu: "10m", memory: "16Mi" } },
              securityContext: restrictedContainer,
              volumeMounts: [
                { name: "peers", mountPath: "/etc/nginx/peers", readOnly: true },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          securityContext: restrictedPod,
          terminationGracePeriodSeconds: 30,
          tolerations: leavesDeadNodes,
          topologySpreadConstraints: spread(matchLabels, workers),
          volumes: [
            { name: "peers", configMap: { name: PEERS } },
            { name: "tmp", emptyDir: {} },
          ],
        },
      },
    },
  };
}

/** Where a pod asks for an asset that only another release has: docs/decisions/assets-of-two-releases.md. */
function peers(namespace: string, matchLabels: Named["matchLabels"]): Manifest[] {
  const metadata = { name: PEERS, namespace, labels: labels(COMPONENT, SITE) };
  const host = `${PEERS}.${namespace}.svc.cluster.local:${HTTP.containerPort}`;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP: "None",
        ports: [{ name: HTTP.name, port: HTTP.containerPort, protocol: "TCP", targetPort: HTTP.name }],
        // A new pod is found before readers come to it, an old one while it drains.
        publishNotReadyAddresses: true,
        selector: matchLabels,
      },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: {
        "peers.conf": `set $castle_peers "${host}";\nresolver ${CLUSTER_DNS} valid=1s ipv6=off;\n`,
      },
    },
  ];
}

function route(metadata: Manifest["metadata"], { host }: Site, tls: boolean): Manifest[] {
  return [
    {
      apiVersion: "traefik.io/v1alpha1",
      kind: "ServersTransport",
      metadata,
      // Every request dials: one that is dialled can be retried at the other replica, one on a kept connection to a
      // node that has just died would wait for an answer until the visitor gives up.
      spec: { forwardingTimeouts: { dialTimeout: "150ms" }, maxIdleConnsPerHost: -1 },
    },
    {
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata,
      spec: {
        entryPoints: [tls ? secure.name : plain.name],
        routes: [
          {
            kind: "Rule",
            match: `Host(\`${host}\`)`,
            services: [{ name: SITE, port: HTTP.name, serversTransport: SITE }],
          },
        ],
        ...(tls ? { tls: { secretName: SITE_CERTIFICATE } } : {}),
      },
    },
  ];
}
