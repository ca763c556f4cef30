import { labels } from "./labels.ts";
import type { Manifest } from "./manifest.ts";
import { restrictedContainer, restrictedPod } from "./pod.ts";

export const METALLB_NAMESPACE = "metallb-system";
export const SPEAKER_EXCLUSIONS = "metallb-excludel2";

const MONITORING = { name: "monitoring", containerPort: 7472 };
const MEMBERLIST_PORT = 7946;

/** MetalLB's controller finds the speakers by these two, so they are upstream's own. */
function podLabels(component: string) {
  return { app: "metallb", component };
}

const scraped = {
  "prometheus.io/port": String(MONITORING.containerPort),
  "prometheus.io/scrape": "true",
};

/** Asked every second while it starts: a pool is refused until the controller is ready. */
const probes = {
  livenessProbe: {
    httpGet: { path: "/metrics", port: MONITORING.name },
    initialDelaySeconds: 10,
    periodSeconds: 10,
  },
  readinessProbe: { httpGet: { path: "/metrics", port: MONITORING.name }, periodSeconds: 2 },
};

export function controllerDeployment(image: string): Manifest {
  const matchLabels = podLabels("controller");
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "controller", namespace: METALLB_NAMESPACE, labels: labels("metallb", "controller") },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels },
      template: {
        metadata: { annotations: scraped, labels: { ...labels("metallb", "controller"), ...matchLabels } },
        spec: {
          containers: [
            {
              name: "controller",
              image,
              args: [
                `--port=${MONITORING.containerPort}`,
                "--log-level=info",
                "--tls-min-version=VersionTLS12",
              ],
              env: [
                { name: "METALLB_ML_SECRET_NAME", value: "memberlist" },
                { name: "METALLB_DEPLOYMENT", value: "controller" },
              ],
              ports: [MONITORING, { name: "webhook-server", containerPort: 9443 }],
              ...probes,
              resources: { requests: { cpu: "20m", memory: "48Mi" } },
              securityContext: restrictedContainer,
              volumeMounts: [
                { name: "cert", mountPath: "/tmp/k8s-webhook-server/serving-certs", readOnly: true },
              ],
            },
          ],
          securityContext: restrictedPod,
          serviceAccountName: "controller",
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: "cert", secret: { secretName: "metallb-webhook-cert" } }],
        },
      },
    },
  };
}

/** Where workloads may run, and nowhere else: control planes are kept out of load balancing by Talos' own label. */
export function speakerDaemonSet(image: string): Manifest {
  const matchLabels = podLabels("speaker");
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "speaker", namespace: METALLB_NAMESPACE, labels: labels("metallb", "speaker") },
    spec: {
      selector: { matchLabels },
      template: {
        metadata: { annotations: scraped, labels: { ...labels("metallb", "speaker"), ...matchLabels } },
        spec: {
          containers: [
            {
              name: "speaker",
              image,
              args: [`--port=${MONITORING.containerPort}`, "--log-level=info"],
              env: [
                field("METALLB_NODE_NAME", "spec.nodeName"),
                field("METALLB_POD_NAME", "metadata.name"),
                field("METALLB_HOST", "status.hostIP"),
                field("METALLB_ML_BIND_ADDR", "status.podIP"),
                { name: "METALLB_ML_LABELS", value: "app=metallb,component=speaker" },
                { name: "METALLB_ML_SECRET_KEY_PATH", value: "/etc/ml_secret_key" },
              ],
              ports: [
                MONITORING,
                { name: "memberlist-tcp", containerPort: MEMBERLIST_PORT, protocol: "TCP" },
                { name: "memberlist-udp", containerPort: MEMBERLIST_PORT, protocol: "UDP" },
              ],
              ...probes,
              resources: { requests: { cpu: "20m", memory: "48Mi" } },
              securityContext: {
                ...restrictedContainer,
                capabilities: { add: ["NET_RAW"], drop: ["ALL"] },
              },
              volumeMounts: [
                { name: "memberlist", mountPath: "/etc/ml_secret_key", readOnly: true },
                { name: "exclusions", mountPath: "/etc/metallb", readOnly: true },
              ],
            },
          ],
          hostNetwork: true,
          serviceAccountName: "speaker",
          terminationGracePeriodSeconds: 2,
          volumes: [
            { name: "memberlist", secret: { secretName: "memberlist" } },
            { name: "exclusions", configMap: { defaultMode: 0o400, name: SPEAKER_EXCLUSIONS } },
          ],
        },
      },
    },
  };
}

function field(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}
