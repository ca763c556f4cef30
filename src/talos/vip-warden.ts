import type { Castle, MachinePatch } from "../spec/castle.ts";

const NAME = "vip-warden";
const API_PORT = 6443;
/** Where Talos keeps what the API server shows to etcd; it belongs to the API server's user. */
const ETCD_CLIENT = "/system/secrets/kubernetes/kube-apiserver";
const API_SERVER_USER = 65_534;
const CERTIFICATES = "/certificates";

/** A control plane's static pod that lets the VIP leave a dead holder: docs/decisions/vip-warden.md. */
export function vipWarden({ network: { vip, vipWarden: image } }: Castle): readonly MachinePatch[] {
  if (image === undefined) return [];
  return [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: NAME, namespace: "kube-system", labels: { "app.kubernetes.io/name": NAME } },
      spec: {
        hostNetwork: true,
        priorityClassName: "system-cluster-critical",
        securityContext: {
          runAsNonRoot: true,
          runAsUser: API_SERVER_USER,
          runAsGroup: API_SERVER_USER,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: NAME,
            image,
            args: [`--vip=${vip}:${API_PORT}`, `--certificates=${CERTIFICATES}`],
            // Without a limit of time: what is to notice within a second must not be held back.
            resources: { limits: { memory: "64Mi" }, requests: { cpu: "10m", memory: "16Mi" } },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ["ALL"] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [{ name: "etcd-client", mountPath: CERTIFICATES, readOnly: true }],
          },
        ],
        // Without a type: the kubelet is in a container of its own and would look for it there.
        volumes: [{ name: "etcd-client", hostPath: { path: ETCD_CLIENT } }],
      },
    },
  ];
}
