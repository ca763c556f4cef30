import type { Castle } from "../spec/castle.ts";
import { stringify } from "yaml";
import { acmeConfig } from "./acme-config.ts";
import type { Component } from "./component.ts";
import { CHALLENGE_PRIORITY, plain } from "./entry-points.ts";
import { labels, selector } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { leavesDeadNodes, podSecurity, restrictedContainer, restrictedPod } from "./pod.ts";
import { SITE_CERTIFICATE } from "./site-names.ts";
import { platformImages, type Surroundings } from "./surroundings.ts";
import { sha256 } from "../support/sha256.ts";

const COMPONENT = "certificates";
const NAME = "acme";
export const CERTIFICATES_NAMESPACE = "certificates";
const namespace = CERTIFICATES_NAMESPACE;
const CONFIG_FILE = "config.yaml";
const CONFIG_FOLDER = "/etc/acme";

/** Challenges, measurements and health: the route leads to the challenges only. */
const http = { name: "http", containerPort: 8080, protocol: "TCP" } as const;
/** Names that the controller gives to what it keeps in its own namespace. */
const ACCOUNT = "acme-account";
export const ACME_STATE = "acme-state";

/** castle's own ACME controller: orders by HTTP-01, renews, and writes one TLS Secret a site. */
export function certificates(castle: Castle, surroundings: Surroundings): Component {
  const config = stringify(acmeConfig(castle, surroundings.acme), { lineWidth: 0 });
  const metadata = { name: NAME, namespace, labels: labels(COMPONENT, NAME) };
  return {
    name: COMPONENT,
    dependsOn: ["traefik-crds"],
    files: {
      "namespace.yaml": [
        {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: {
            name: namespace,
            labels: { ...labels(COMPONENT, COMPONENT), ...podSecurity("restricted") },
          },
        },
      ],
      "config.yaml": [{ apiVersion: "v1", kind: "ConfigMap", metadata, data: { [CONFIG_FILE]: config } }],
      "rbac.yaml": [{ apiVersion: "v1", kind: "ServiceAccount", metadata }, ...ownAccess()],
      "deployment.yaml": [deployment(config, platformImages(castle, surroundings).acmeController)],
      "route.yaml": [
        {
          apiVersion: "v1",
          kind: "Service",
          metadata,
          spec: {
            ports: [{ name: http.name, port: http.containerPort, protocol: "TCP", targetPort: http.name }],
            selector: selector(COMPONENT, NAME),
          },
        },
        {
          apiVersion: "traefik.io/v1alpha1",
          kind: "IngressRoute",
          metadata,
          spec: {
            entryPoints: [plain.name],
            routes: [
              {
                kind: "Rule",
                match: "PathPrefix(`/.well-known/acme-challenge/`)",
                priority: CHALLENGE_PRIORITY,
                services: [{ name: NAME, port: http.name }],
              },
            ],
          },
        },
      ],
    },
  };
}

function deployment(config: string, image: string): Manifest {
  const digest = sha256(config).slice(0, 16);
  const matchLabels = selector(COMPONENT, NAME);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace, labels: labels(COMPONENT, NAME) },
    spec: {
      progressDeadlineSeconds: 120,
      // Two would order the same certificate twice.
      replicas: 1,
      selector: { matchLabels },
      strategy: { type: "Recreate" },
      template: {
        metadata: {
          annotations: {
            // A file that is mounted changes within minutes, a new pod at once.
            "castle.dev/config": digest,
            "prometheus.io/port": String(http.containerPort),
            "prometheus.io/scrape": "true",
          },
          labels: labels(COMPONENT, NAME),
        },
        spec: {
          containers: [
            {
              name: NAME,
              image,
              args: [
                `--config=${CONFIG_FOLDER}/${CONFIG_FILE}`,
                `--listen=:${http.containerPort}`,
                `--account-secret=${ACCOUNT}`,
                `--state-configmap=${ACME_STATE}`,
              ],
              env: [{ name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
              ports: [http],
              readinessProbe: { httpGet: { path: "/healthz", port: http.name }, periodSeconds: 2 },
              resources: { limits: { memory: "128Mi" }, requests: { cpu: "10m", memory: "24Mi" } },
              securityContext: restrictedContainer,
              volumeMounts: [{ name: "config", mountPath: CONFIG_FOLDER, readOnly: true }],
            },
          ],
          securityContext: restrictedPod,
          serviceAccountName: NAME,
          tolerations: leavesDeadNodes,
          volumes: [{ name: "config", configMap: { name: NAME } }],
        },
      },
    },
  };
}

const subjects = [{ kind: "ServiceAccount", name: NAME, namespace }];

/** In its own namespace: the account's key, and the state that it tells. */
function ownAccess(): Manifest[] {
  return access(namespace, [...oneObject("secrets", ACCOUNT), ...oneObject("configmaps", ACME_STATE)]);
}

/** In a site's namespace: its certificate and no other Secret. */
export function certificateAccess(site: string): Manifest[] {
  return access(site, oneObject("secrets", SITE_CERTIFICATE));
}

/** What does not exist yet cannot be limited by its name. */
function oneObject(resource: string, name: string): readonly object[] {
  const [apiGroups, resources] = [[""], [resource]];
  return [
    { apiGroups, resources, verbs: ["create"] },
    { apiGroups, resourceNames: [name], resources, verbs: ["get", "update"] },
  ];
}

function access(where: string, rules: readonly object[]): Manifest[] {
  const metadata = { name: NAME, namespace: where, labels: labels(COMPONENT, NAME) };
  return [
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: NAME },
      subjects,
    },
  ];
}
