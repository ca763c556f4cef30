import { type Electorate, type Standing, holds, standingOf, standingText } from "./standing.ts";
import { type Step, courseOf } from "./step.ts";

export type Verdict =
  /** Quorum holds before, during and after. */
  | "safe"
  /** A single control plane: nothing is lost, but nothing is decided until it is back. */
  | "outage"
  /** The cluster is given up with all that it holds; only what was asked to do that goes on. */
  | "end"
  /** Must not be done: quorum would be lost, or is lost already. */
  | "refused";

/** One step judged: what `--dry-run` prints. */
export interface Judged {
  readonly step: Step;
  readonly before: Standing;
  readonly during: Standing;
  readonly after: Standing;
  readonly verdict: Verdict;
  /** The arithmetic in a sentence. */
  readonly reason: string;
}

export interface QuorumPlan {
  readonly steps: readonly Judged[];
  /** Every step may be done, in this order, each after the one before it is finished. */
  readonly allowed: boolean;
}

/** etcd takes one learner at a time (its default, --max-learners 1). */
const MAX_LEARNERS = 1;

/** Judges one step that touches a control plane. Every such step of castle passes here. */
export function judge(electorate: Electorate, step: Step): Judged {
  const { during, after } = courseOf(electorate, step);
  const standings = { before: standingOf(electorate), during: standingOf(during), after: standingOf(after) };
  return { step, ...standings, ...verdictOf(electorate, step, standings) };
}

/** Judges steps that follow one another; what comes after a refused step is judged as if that one were left out. */
export function planSteps(electorate: Electorate, steps: readonly Step[]): QuorumPlan {
  const judged: Judged[] = [];
  let current = electorate;
  for (const step of steps) {
    const verdict = judge(current, step);
    judged.push(verdict);
    if (verdict.verdict !== "refused") current = courseOf(current, step).after;
  }
  return { steps: judged, allowed: judged.every(({ verdict }) => verdict !== "refused") };
}

function verdictOf(
  { voters, learners }: Electorate,
  step: Step,
  { before, during, after }: Record<"before" | "during" | "after", Standing>,
): Pick<Judged, "verdict" | "reason"> {
  const known = step.kind !== "end" && [...voters, ...learners].some(({ id }) => id === step.member);
  switch (step.kind) {
    case "interrupt":
      if (!voters.some(({ id, healthy }) => id === step.member && healthy)) {
        return safe(`it has no vote that counts now: ${standingText(before)}`);
      }
      if (voters.length === 1)
        return { verdict: "outage", reason: "it is the only voter: no API until it is back" };
      if (holds(during)) return safe(`meanwhile ${standingText(during)}`);
      return refused(`quorum would be lost meanwhile: ${standingText(during)}`);
    case "remove":
      if (!known) return safe("it is no member any more");
      if (!holds(before)) return refused(`quorum is lost, no member can be removed: ${standingText(before)}`);
      if (after.voters === 0) return refused("it is the last voter: removing it is the end of the cluster");
      if (holds(after)) return safe(`afterwards ${standingText(after)}`);
      return refused(`quorum would be lost: ${standingText(after)}`);
    case "add":
      if (known) return safe("it is a member already");
      if (!holds(before)) return refused(`quorum is lost, no member can join: ${standingText(before)}`);
      if (learners.length >= MAX_LEARNERS)
        return refused("another learner has to be promoted or removed first");
      return safe(`afterwards ${standingText(after)}`);
    case "end":
      return { verdict: "end", reason: `etcd ends with all that it holds: ${standingText(before)}` };
    default:
      return step satisfies never;
  }
}

function safe(reason: string): Pick<Judged, "verdict" | "reason"> {
  return { verdict: "safe", reason };
}

function refused(reason: string): Pick<Judged, "verdict" | "reason"> {
  return { verdict: "refused", reason };
}
