import type { Check } from "../check.ts";

export const workloads: Check = {
  id: "workloads",
  title: "Everything that Kubernetes should run is ready",
  judge: ({ cluster }) => {
    if (cluster.silent !== undefined) return { unknown: cluster.silent };
    return cluster.workloads
      .filter(({ namespace, wanted, ready }) => namespace !== "kube-system" && ready < wanted)
      .map(({ kind, namespace, name, wanted, ready }) => ({
        severity: ready === 0 ? ("critical" as const) : ("warning" as const),
        object: `${kind} ${namespace}/${name}`,
        message: `${ready} of ${wanted} are ready`,
        fix: `castle kubectl -- -n ${namespace} describe ${kind.toLowerCase()} ${name}`,
      }));
  },
};
