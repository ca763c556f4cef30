import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { leavesDeadNodes, restrictedContainer, restrictedPod } from "./pod.ts";

export const FLUX_NAMESPACE = "flux-system";
export const FLUX_METRICS_PORT = 8080;

interface FluxController {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** Whether it keeps artifacts and serves them to other controllers. */
  readonly artifacts: boolean;
}

const ARTIFACTS = { name: "http", containerPort: 9090, protocol: "TCP" };

/** One controller of Flux and, where it serves artifacts, its Service. */
export function fluxController(controller: FluxController): Manifest[] {
  const { name, artifacts } = controller;
  const metadata = { name, namespace: FLUX_NAMESPACE, labels: labels("flux-system", name) };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      ports: [{ name: ARTIFACTS.name, port: 80, protocol: "TCP", targetPort: ARTIFACTS.name }],
      selector: { app: name },
    },
  };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: name } },
        // Two at once would share neither artifacts nor the lease.
        strategy: { type: "Recreate" },
        template: {
          metadata: {
            annotations: {
              "prometheus.io/port": String(FLUX_METRICS_PORT),
              "prometheus.io/scrape": "true",
            },
            labels: { ...metadata.labels, app: name },
          },
          spec: podSpec(controller),
        },
      },
    },
    ...(artifacts ? [service] : []),
  ];
}

function podSpec({ name, image, args, artifacts }: FluxController) {
  const volumes = artifacts ? { data: "/data", tmp: "/tmp" } : { tmp: "/tmp" };
  return {
    containers: [
      {
        name: "manager",
        image,
        args: [
          "--watch-all-namespaces",
          "--log-level=info",
          "--log-encoding=json",
          "--enable-leader-election",
          ...args,
        ],
        env: [
          {
            name: "RUNTIME_NAMESPACE",
            valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } },
          },
          ...(artifacts ? [{ name: "TUF_ROOT", value: "/tmp/.sigstore" }] : []),
        ],
        livenessProbe: { httpGet: { path: "/healthz", port: "healthz" } },
        ports: [
          ...(artifacts ? [ARTIFACTS] : []),
          { name: "http-prom", containerPort: FLUX_METRICS_PORT, protocol: "TCP" },
          { name: "healthz", containerPort: 9440, protocol: "TCP" },
        ],
        readinessProbe: {
          httpGet: artifacts ? { path: "/", port: ARTIFACTS.name } : { path: "/readyz", port: "healthz" },
          periodSeconds: 2,
        },
        resources: {
          limits: { memory: "1Gi" },
          requests: { cpu: artifacts ? "50m" : "100m", memory: "64Mi" },
        },
        securityContext: restrictedContainer,
        volumeMounts: Object.entries(volumes).map(([name, mountPath]) => ({ name, mountPath })),
      },
    ],
    securityContext: restrictedPod,
    serviceAccountName: name,
    terminationGracePeriodSeconds: artifacts ? 10 : 60,
    tolerations: leavesDeadNodes,
    volumes: Object.keys(volumes).map((name) => ({ name, emptyDir: {} })),
  };
}
