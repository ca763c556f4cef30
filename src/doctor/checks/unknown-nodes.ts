import type { Check } from "../check.ts";

export const unknownNodes: Check = {
  id: "unknown-nodes",
  title: "Kubernetes knows no node that the spec does not",
  judge: ({ castle, cluster }) => {
    if (cluster.silent !== undefined) return { unknown: cluster.silent };
    return cluster.nodes
      .filter(({ name }) => !castle.nodes.some((node) => node.name === name))
      .map(({ name, ready }) => ({
        severity: "warning",
        object: name,
        message: `Kubernetes lists it (${ready ? "Ready" : "NotReady"}), the spec does not`,
        fix: "castle ghosts --cure",
      }));
  },
};
