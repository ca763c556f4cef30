/** The numeric user of "nobody": images whose USER is a name, or root, cannot pass runAsNonRoot without it. */
const NOBODY = 65534;

/** Security context of a container that Pod Security "restricted" admits. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
} as const;

/** Security context of its pod. */
export const restrictedPod = {
  fsGroup: NOBODY,
  runAsGroup: NOBODY,
  runAsNonRoot: true,
  runAsUser: NOBODY,
  seccompProfile: { type: "RuntimeDefault" },
} as const;

export type PodSecurity = "privileged" | "restricted";

/** Labels of a namespace: what its pods may do. */
export function podSecurity(level: PodSecurity): Readonly<Record<string, string>> {
  const modes = level === "restricted" ? ["enforce", "audit", "warn"] : ["enforce"];
  return Object.fromEntries(modes.map((mode) => [`pod-security.kubernetes.io/${mode}`, level]));
}

/**
 * Replicas on different nodes, counted among those of one revision so that a rolling update finds room. On a node
 * that died its place stays empty until the node returns: a second pod beside the first would survive nothing.
 */
export function spread(selector: Readonly<Record<string, string>>, workers: number) {
  return [
    {
      labelSelector: { matchLabels: selector },
      matchLabelKeys: ["pod-template-hash"],
      maxSkew: 1,
      ...(workers < 2 ? {} : { minDomains: 2 }),
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: workers < 2 ? "ScheduleAnyway" : "DoNotSchedule",
    },
  ];
}

/** Seconds that a pod stays on a node that stopped answering; Kubernetes' own default is 300. */
const LEAVES_AFTER = 15;

export const leavesDeadNodes = ["not-ready", "unreachable"].map((state) => ({
  effect: "NoExecute",
  key: `node.kubernetes.io/${state}`,
  operator: "Exists",
  tolerationSeconds: LEAVES_AFTER,
}));
