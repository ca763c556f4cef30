import { labels, selector } from "../labels.ts";
import type { Manifest } from "../manifest.ts";
import { podSecurity, restrictedContainer, restrictedPod } from "../pod.ts";
import { COMPONENT, port } from "./names.ts";

const NAME = "node-exporter";
/** A namespace of its own: what looks at a node's network and files may do more than "restricted" admits. */
const namespace = NAME;

const COLLECTORS = [
  "cpu",
  "diskstats",
  "filesystem",
  "loadavg",
  "meminfo",
  "netdev",
  "stat",
  "time",
  "uname",
];
/** Host's folder → where the pod sees it. */
const FOLDERS = { "/proc": "/host/proc", "/sys": "/host/sys", "/": "/host/root" } as const;

/** On every node, and its word on who holds the VIP: addresses of network cards are among what it measures. */
export function nodeExporter(image: string): Manifest[] {
  const metadata = { name: NAME, namespace, labels: labels(COMPONENT, NAME) };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { ...labels(COMPONENT, NAME), ...podSecurity("privileged") } },
    },
    {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata,
      spec: {
        selector: { matchLabels: selector(COMPONENT, NAME) },
        template: { metadata: { labels: labels(COMPONENT, NAME) }, spec: pod(image) },
        // All at once: nobody waits for an answer of it.
        updateStrategy: { rollingUpdate: { maxUnavailable: "100%" }, type: "RollingUpdate" },
      },
    },
  ];
}

function pod(image: string) {
  const mounts = Object.entries(FOLDERS).map(([path, mountPath], index) => ({
    path,
    mountPath,
    name: `host-${index}`,
  }));
  return {
    automountServiceAccountToken: false,
    containers: [
      {
        name: NAME,
        image,
        args: [
          `--web.listen-address=$(HOST_ADDRESS):${port.node}`,
          `--path.procfs=${FOLDERS["/proc"]}`,
          `--path.sysfs=${FOLDERS["/sys"]}`,
          `--path.rootfs=${FOLDERS["/"]}`,
          "--collector.disable-defaults",
          ...COLLECTORS.map((name) => `--collector.${name}`),
          "--collector.netdev.address-info",
          "--collector.netdev.device-exclude=^(lo|veth.*|cni.*|flannel.*)$",
          "--collector.filesystem.fs-types-exclude=^(autofs|bpf|cgroup2?|debugfs|devpts|devtmpfs|fuse.*|mqueue|nsfs|overlay|proc|pstore|ramfs|securityfs|sysfs|tmpfs|tracefs)$",
          "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|var/(lib/(containerd|kubelet)|run)/.+)($|/)",
        ],
        env: [{ name: "HOST_ADDRESS", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }],
        ports: [{ name: "http", containerPort: port.node, protocol: "TCP" }],
        readinessProbe: { httpGet: { path: "/", port: "http" }, periodSeconds: 2 },
        resources: { limits: { memory: "128Mi" }, requests: { cpu: "10m", memory: "16Mi" } },
        securityContext: restrictedContainer,
        volumeMounts: mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
      },
    ],
    hostNetwork: true,
    // The host's mounts are those of its first process.
    hostPID: true,
    securityContext: restrictedPod,
    tolerations: [{ operator: "Exists" }],
    volumes: mounts.map(({ name, path }) => ({ name, hostPath: { path } })),
  };
}
