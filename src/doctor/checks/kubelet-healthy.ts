import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

export const kubeletHealthy: Check = {
  id: "kubelet-healthy",
  title: "The kubelet runs and is healthy on every node",
  asks: "nodes",
  judge: (examination) =>
    toldNodes(examination).flatMap(({ node, services }) => {
      const kubelet = services.find(({ id }) => id === "kubelet");
      if (kubelet?.state === "Running" && kubelet.health === "healthy") return [];
      return [
        {
          severity: "critical" as const,
          object: node.name,
          message:
            kubelet === undefined
              ? "its kubelet was never started"
              : `its kubelet is ${kubelet.state}, ${kubelet.health}: ${kubelet.message}`,
          fix: `castle talosctl -- -n ${node.address} logs kubelet`,
        },
      ];
    }),
};
