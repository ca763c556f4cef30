import { z } from "zod";
import type { Chart, Disease, Sought } from "../disease.ts";
import type { Manifest } from "../manifests/manifest.ts";
import { podTemplates } from "../manifests/pods.ts";
import { editCommand } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

/** How many minors behind the API server Kubernetes supports: its version skew policy. */
const BEHIND = 3;
const NodeInfo = z.object({
  status: z.object({
    nodeInfo: z.object({ kubeletVersion: z.string(), kubeProxyVersion: z.string().optional() }),
  }),
});

/** Parts of Kubernetes that do not go together. */
export const versionSkew: Disease = {
  id: "version-skew",
  title: "A kubelet or kube-proxy is newer than the API server, or too old for it",
  reads: ["Node", "DaemonSet"],
  diagnose: (chart) => {
    const server = serverVersion(chart);
    if (server === undefined) return [];
    return [
      ...chart.manifests.flatMap((manifest) => ofNode(manifest, server)),
      ...podTemplates(chart.manifests).flatMap(({ manifest, spec }) =>
        spec.containers.flatMap(({ image }): Sought[] => {
          const version = /\/kube-proxy:(v[\d.]+)/.exec(image)?.[1];
          const wrong = version === undefined ? undefined : judge(version, server);
          if (wrong === undefined) return [];
          return [
            {
              severity: "warning",
              object: objectName(manifest),
              message: `kube-proxy ${version} ${wrong} the API server's ${server}`,
              evidence: [`API server: ${server}`, `image ${image}`],
              fix: `one version for both: ${server}`,
              command: editCommand(chart, manifest),
            },
          ];
        }),
      ),
    ];
  },
};

/** The API server's own word; in a folder there is none. */
function serverVersion({ examination }: Chart): string | undefined {
  const cluster = examination?.cluster;
  return cluster === undefined || cluster.silent !== undefined ? undefined : cluster.version;
}

function ofNode(manifest: Manifest, server: string): Sought[] {
  const info = manifest.kind === "Node" ? NodeInfo.safeParse(manifest.body).data?.status.nodeInfo : undefined;
  const wrong = info === undefined ? undefined : judge(info.kubeletVersion, server);
  if (info === undefined || wrong === undefined) return [];
  return [
    {
      severity: "critical",
      object: manifest.name,
      message: `its kubelet ${info.kubeletVersion} ${wrong} the API server's ${server}`,
      evidence: [`API server: ${server}`, `Node ${manifest.name}: kubelet ${info.kubeletVersion}`],
      fix: "kubernetes.version in castle.yaml is for all of them",
      command: "castle up",
    },
  ];
}

function judge(version: string, server: string): string | undefined {
  const [one, other] = [minor(version), minor(server)];
  if (one === undefined || other === undefined) return undefined;
  if (one > other) return "is newer than";
  return other - one > BEHIND ? `is ${other - one} minors older than` : undefined;
}

function minor(version: string): number | undefined {
  const found = /^v?1\.(\d+)/.exec(version)?.[1];
  return found === undefined ? undefined : Number(found);
}
