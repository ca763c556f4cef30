import type { Disease } from "../disease.ts";
import { isNonRoot, mayBindLowPorts, podTemplates } from "../manifests/pods.ts";

/** The first port that everybody may listen on. */
const FREE = 1024;

/** A container that may not be root and is to listen below 1024. */
export const privilegedPort: Disease = {
  id: "privileged-port",
  title: "A container that is not root is to listen on a port below 1024",
  diagnose: ({ manifests }) =>
    podTemplates(manifests).flatMap((pod) =>
      pod.spec.containers.flatMap((container) => {
        if (!isNonRoot(pod, container) || mayBindLowPorts(container)) return [];
        return container.ports
          .filter(({ containerPort }) => containerPort < FREE)
          .map(({ containerPort }) => ({
            severity: "critical" as const,
            object: `${pod.manifest.kind} ${pod.manifest.namespace}/${pod.manifest.name}`,
            message: `container ${container.name} is not root and listens on ${containerPort}: it may not`,
            evidence: [
              `${pod.manifest.origin}: container ${container.name}, containerPort ${containerPort}`,
              `${pod.manifest.origin}: runAsNonRoot or a runAsUser other than 0, without NET_BIND_SERVICE`,
            ],
            fix: `listen on ${containerPort + 8000} and let the Service's port ${containerPort} send there`,
          }));
      }),
    ),
};
