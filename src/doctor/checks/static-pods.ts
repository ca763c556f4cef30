import type { Check } from "../check.ts";
import { toldControlPlanes } from "../examination.ts";

/** What a control plane runs without asking anybody. */
const COMPONENTS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

export const staticPods: Check = {
  id: "static-pods",
  title: "API server, controller manager and scheduler run and are ready on every control plane",
  asks: "control planes",
  judge: (examination) =>
    toldControlPlanes(examination).flatMap(({ node, staticPods: pods }) =>
      COMPONENTS.flatMap((component) => {
        const pod = pods.find(({ id }) => id.includes(component));
        if (pod?.ready === true) return [];
        return [
          {
            severity: "critical" as const,
            object: `${component} on ${node.name}`,
            message: pod === undefined ? "its static pod is not there" : "its static pod is not ready",
            fix: `castle talosctl -- -n ${node.address} containers -k`,
          },
        ];
      }),
    ),
};
