import type { CatalogueEntry } from "../exit-code.ts";

export const kubernetesErrors = {
  "kubernetes/kubeconfig": { exit: 1, meaning: "A kubeconfig cannot be read." },
  "kubernetes/refused": { exit: 1, meaning: "The Kubernetes API does not accept the credentials." },
  "kubernetes/unreachable": { exit: 4, meaning: "The Kubernetes API does not answer." },
} as const satisfies Record<string, CatalogueEntry>;
