import type { Castle } from "./castle.ts";

/** The one namespace whose pods may read Talos' API. */
export const MONITORING_NAMESPACE = "monitoring";

/** Whether Prometheus runs: Flux installs it, so that there is none without a GitOps repository. */
export function isMonitored({ gitops, monitoring }: Pick<Castle, "gitops" | "monitoring">): boolean {
  return gitops !== undefined && monitoring?.prometheus === true;
}
