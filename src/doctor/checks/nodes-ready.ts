import type { Check } from "../check.ts";
import type { Finding } from "../finding.ts";

export const nodesReady: Check = {
  id: "nodes-ready",
  title: "Kubernetes knows every node of the spec, and all are Ready and take pods",
  judge: ({ castle, cluster }) => {
    if (cluster.silent !== undefined) return { unknown: cluster.silent };
    return castle.nodes.flatMap(({ name }): Finding[] => {
      const node = cluster.nodes.find((one) => one.name === name);
      if (node === undefined) {
        return [
          {
            severity: "critical",
            object: name,
            message: "Kubernetes does not know it",
            fix: "castle up",
          },
        ];
      }
      return [
        ...node.troubles.map(({ type, message }) => ({
          severity: type === "Ready" ? ("critical" as const) : ("warning" as const),
          object: name,
          message: `${type}: ${message}`,
          fix: `castle kubectl -- describe node ${name}`,
        })),
        ...(node.unschedulable
          ? [
              {
                severity: "warning" as const,
                object: name,
                message: "it is cordoned: no new pods",
                fix: `castle kubectl -- uncordon ${name}`,
              },
            ]
          : []),
      ];
    });
  },
};
