import type { Castle } from "../spec/castle.ts";
import {
  containerPort,
  listenFlag,
  metrics,
  ping,
  plain,
  REDIRECT_PRIORITY,
  secure,
} from "./entry-points.ts";
import { labels, selector } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { leavesDeadNodes, restrictedContainer, restrictedPod, spread } from "./pod.ts";

const NAME = "traefik";

/** The middleware that every request passes, in Traefik's own namespace. */
export const RETRY = "retry";

interface Placement {
  readonly namespace: string;
  readonly account: string;
  readonly image: string;
}

/** Seconds between the end of a pod's readiness and the end of its listeners: the address moves first. */
const DRAIN = 10;

export function traefikDeployment(castle: Castle, { namespace, account, image }: Placement): Manifest {
  const workers = castle.nodes.filter(({ role }) => role === "worker").length;
  const matchLabels = selector(NAME, NAME);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace, labels: labels(NAME, NAME) },
    spec: {
      progressDeadlineSeconds: 120,
      replicas: 2,
      selector: { matchLabels },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }, type: "RollingUpdate" },
      template: {
        metadata: {
          annotations: { "prometheus.io/port": String(metrics.inside), "prometheus.io/scrape": "true" },
          labels: labels(NAME, NAME),
        },
        spec: {
          containers: [
            {
              name: NAME,
              image,
              args: flags(castle, namespace),
              livenessProbe: { failureThreshold: 3, httpGet: { path: "/ping", port: ping.name } },
              ports: [plain, secure, ping, metrics].map(containerPort),
              readinessProbe: {
                // One late answer of a busy node must not move the address.
                failureThreshold: 2,
                httpGet: { path: "/ping", port: ping.name },
                periodSeconds: 2,
              },
              resources: { limits: { memory: "512Mi" }, requests: { cpu: "50m", memory: "64Mi" } },
              securityContext: restrictedContainer,
              volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
            },
          ],
          securityContext: restrictedPod,
          serviceAccountName: account,
          terminationGracePeriodSeconds: 3 * DRAIN,
          tolerations: leavesDeadNodes,
          topologySpreadConstraints: spread(matchLabels, workers),
          volumes: [{ name: "tmp", emptyDir: {} }],
        },
      },
    },
  };
}

/** The API and its dashboard stay off: both are on only where a flag asks for them. */
function flags({ ingress }: Castle, namespace: string): string[] {
  const redirect = `--entryPoints.${plain.name}.http.redirections.entryPoint`;
  return [
    ...[plain, secure, ping, metrics].map(listenFlag),
    ...[plain, secure].flatMap(({ name }) => [
      `--entryPoints.${name}.http.middlewares=${namespace}-${RETRY}@kubernetescrd`,
      `--entryPoints.${name}.transport.lifeCycle.requestAcceptGraceTimeout=${DRAIN}`,
      `--entryPoints.${name}.transport.lifeCycle.graceTimeOut=${DRAIN}`,
    ]),
    // To the port outside: the entry point's name would send visitors to the port inside.
    ...(ingress?.tls === undefined
      ? []
      : [
          `--entryPoints.${secure.name}.http.tls=true`,
          `${redirect}.to=:${secure.outside}`,
          `${redirect}.scheme=https`,
          `${redirect}.permanent=true`,
          `${redirect}.priority=${REDIRECT_PRIORITY}`,
        ]),
    "--providers.kubernetesCRD=true",
    "--providers.kubernetesIngress=true",
    `--providers.kubernetesIngress.ingressEndpoint.publishedService=${namespace}/${NAME}`,
    "--providers.providersThrottleDuration=500ms",
    // A pod on a node that died is given up before the visitor's own patience ends.
    "--serversTransport.forwardingTimeouts.dialTimeout=200ms",
    "--ping=true",
    `--ping.entryPoint=${ping.name}`,
    "--metrics.prometheus=true",
    `--metrics.prometheus.entryPoint=${metrics.name}`,
    "--metrics.prometheus.addRoutersLabels=true",
    "--accessLog=true",
    "--accessLog.format=json",
    "--log.format=json",
    "--log.level=INFO",
    "--global.checkNewVersion=false",
    "--global.sendAnonymousUsage=false",
  ];
}
