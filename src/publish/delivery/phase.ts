import type { ExitCode } from "../../errors/exit-code.ts";

/** How far a publication comes, and how the process ends if it ends there. */
export const PHASE_EXIT = {
  source: 10,
  build: 20,
  registry: 30,
  gitops: 40,
  rollout: 50,
  proof: 60,
} as const satisfies Record<string, ExitCode>;

export type Phase = keyof typeof PHASE_EXIT;

export interface PhaseTime {
  readonly phase: Phase;
  readonly step: string;
  readonly milliseconds: number;
  readonly outcome: "done" | "skipped" | "failed";
  readonly detail?: string;
}

/** Why nothing is proven. */
export const NO_CLUSTER = "there is no kubeconfig: committed, and nobody looked whether it is live";
