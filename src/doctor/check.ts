import type { Examination } from "./examination.ts";
import type { Verdict } from "./finding.ts";

/** One question about a castle, answered from what an examination found; asks nobody itself. */
export interface Check {
  /** Stable, for scripts: etcd-healthy, vip-holder … */
  readonly id: string;
  /** What is true when nothing is found. */
  readonly title: string;
  /** Whose machine API it needs: where nobody of them told anything, nothing can be said. */
  readonly asks?: "nodes" | "control planes";
  readonly judge: (examination: Examination) => Verdict;
}
