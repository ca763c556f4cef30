import type { Disease } from "../disease.ts";
import { listensSomewhere } from "../listening.ts";
import { isNonRoot, mayBindLowPorts, podTemplates } from "../manifests/pods.ts";
import { editCommand } from "../remedy.ts";
import { objectName } from "../manifests/manifest.ts";

/** The first port that everybody may listen on. */
const FREE = 1024;

/** A container that may not be root and is to listen below 1024. */
export const privilegedPort: Disease = {
  id: "privileged-port",
  title: "A container that is not root is to listen on a port below 1024",
  reads: ["Deployment", "DaemonSet", "StatefulSet"],
  diagnose: (chart) =>
    podTemplates(chart.manifests).flatMap((pod) =>
      pod.spec.containers.flatMap((container) => {
        if (!isNonRoot(pod, container) || mayBindLowPorts(container)) return [];
        return (
          container.ports
            .filter(({ containerPort }) => containerPort < FREE)
            // A container runtime may give low ports to everybody: who is seen to listen was let.
            .filter(({ containerPort }) => listensSomewhere(chart, pod, containerPort) !== true)
            .map(({ containerPort }) => ({
              severity: "critical" as const,
              object: objectName(pod.manifest),
              message: `container ${container.name} is not root and listens on ${containerPort}: it may not`,
              evidence: [
                `${pod.manifest.origin}: container ${container.name}, containerPort ${containerPort}`,
                `${pod.manifest.origin}: runAsNonRoot or a runAsUser other than 0, without NET_BIND_SERVICE`,
              ],
              command: editCommand(chart, pod.manifest),
              fix: `listen on ${containerPort + 8000} and let the Service's port ${containerPort} send there`,
            }))
        );
      }),
    ),
};
