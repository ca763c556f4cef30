import type { CatalogueEntry } from "../exit-code.ts";

export const kubernetesErrors = {
  "kubernetes/conflict": { exit: 1, meaning: "A field that castle would write is somebody else's." },
  "kubernetes/kubeconfig": { exit: 1, meaning: "A kubeconfig cannot be read." },
  "kubernetes/not-ready": { exit: 1, meaning: "An object in the cluster says that it fails, and why." },
  "kubernetes/refused": { exit: 1, meaning: "The Kubernetes API does not accept the credentials." },
  "kubernetes/rejected": { exit: 1, meaning: "The Kubernetes API does not accept an object." },
  "kubernetes/timed-out": { exit: 4, meaning: "An object in the cluster did not get ready in time." },
  "kubernetes/unknown-kind": { exit: 1, meaning: "The cluster does not know this kind of object." },
  "kubernetes/unreachable": { exit: 4, meaning: "The Kubernetes API does not answer." },
} as const satisfies Record<string, CatalogueEntry>;
