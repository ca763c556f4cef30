import type { Examination } from "./examination.ts";
import type { Verdict } from "./finding.ts";

/** One question about a castle, answered from what an examination found; asks nobody itself. */
export interface Check {
  /** Stable, for scripts: etcd-healthy, vip-holder … */
  readonly id: string;
  /** What is true when nothing is found. */
  readonly title: string;
  readonly judge: (examination: Examination) => Verdict;
}
