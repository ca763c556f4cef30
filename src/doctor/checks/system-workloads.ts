import type { Check } from "../check.ts";

/** What every pod of the castle needs; Talos installs it. */
const WORKLOADS = [
  { kind: "DaemonSet", name: "kube-proxy" },
  { kind: "DaemonSet", name: "kube-flannel" },
  { kind: "Deployment", name: "coredns" },
] as const;

export const systemWorkloads: Check = {
  id: "system-workloads",
  title: "kube-proxy, the pod network and CoreDNS are ready",
  judge: ({ cluster }) => {
    if (cluster.silent !== undefined) return { unknown: cluster.silent };
    return WORKLOADS.flatMap(({ kind, name }) => {
      const found = cluster.workloads.find(
        (one) => one.kind === kind && one.namespace === "kube-system" && one.name === name,
      );
      if (found !== undefined && found.wanted > 0 && found.ready >= found.wanted) return [];
      return [
        {
          severity: found?.ready === 0 || found === undefined ? ("critical" as const) : ("warning" as const),
          object: `${kind} kube-system/${name}`,
          message: found === undefined ? "it is not there" : `${found.ready} of ${found.wanted} are ready`,
          fix: `castle kubectl -- -n kube-system describe ${kind.toLowerCase()} ${name}`,
        },
      ];
    });
  },
};
