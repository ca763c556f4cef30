import { labels, selector } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { leavesDeadNodes, restrictedContainer, restrictedPod } from "../pod.ts";
import { COMPONENT, metadataOf } from "./names.ts";
import { sha256 } from "../../support/sha256.ts";

interface Workload {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
  /** Path that answers 200 once it can do its work. */
  readonly ready: string;
  readonly memory: { readonly request: string; readonly limit: string };
  /** Of the API server; none by default. */
  readonly account?: string;
  readonly user?: number;
  /** Path in the container → volume. */
  readonly volumes: Readonly<Record<string, VolumeSource>>;
  /** A text whose change restarts it: for programs that do not read their files again. */
  readonly restartsOn?: string;
}

type VolumeSource = Readonly<Record<string, unknown>>;

/** One pod, restricted, which Prometheus scrapes, and a Service that leads to it. */
export function workload(given: Workload): Manifest[] {
  const { name, port } = given;
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadataOf(name),
      spec: {
        progressDeadlineSeconds: 120,
        replicas: 1,
        selector: { matchLabels: selector(COMPONENT, name) },
        strategy: { type: "Recreate" },
        template: template(given),
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadataOf(name),
      spec: {
        ports: [{ name: "http", port, protocol: "TCP", targetPort: "http" }],
        selector: selector(COMPONENT, name),
      },
    },
  ];
}

function template(given: Workload) {
  const { name, image, args, env, port, ready, memory, account, user, volumes, restartsOn } = given;
  const mounts = Object.keys(volumes).map((mountPath, index) => ({ name: `volume-${index}`, mountPath }));
  return {
    metadata: {
      annotations: {
        ...(restartsOn === undefined ? {} : { "castle.dev/config": digest(restartsOn) }),
        "prometheus.io/port": String(port),
        "prometheus.io/scrape": "true",
      },
      labels: labels(COMPONENT, name),
    },
    spec: {
      ...(account === undefined ? { automountServiceAccountToken: false } : { serviceAccountName: account }),
      containers: [
        {
          name,
          image,
          ...(args === undefined ? {} : { args }),
          ...(env === undefined
            ? {}
            : { env: Object.entries(env).map(([name, value]) => ({ name, value })) }),
          ports: [{ name: "http", containerPort: port, protocol: "TCP" }],
          readinessProbe: { httpGet: { path: ready, port: "http" }, periodSeconds: 2 },
          resources: { limits: { memory: memory.limit }, requests: { cpu: "20m", memory: memory.request } },
          securityContext: restrictedContainer,
          volumeMounts: mounts,
        },
      ],
      securityContext:
        user === undefined
          ? restrictedPod
          : { ...restrictedPod, fsGroup: user, runAsGroup: user, runAsUser: user },
      tolerations: leavesDeadNodes,
      volumes: Object.values(volumes).map((source, index) => ({ name: `volume-${index}`, ...source })),
    },
  };
}

function digest(text: string): string {
  return sha256(text).slice(0, 16);
}
