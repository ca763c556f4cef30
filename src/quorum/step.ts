import type { Electorate, Voter } from "./standing.ts";

/** What may be done to a control plane, as far as etcd's votes are concerned. */
export type Step =
  /** Away for a while and back with its data: restart, configuration, move of the VIP, upgrade. */
  | { readonly kind: "interrupt"; readonly member: string }
  /** Out of the membership for good: leave, or removal by id. */
  | { readonly kind: "remove"; readonly member: string }
  /** A new member joins as a learner and is promoted once it is in sync. */
  | { readonly kind: "add"; readonly member: string }
  /** The whole etcd with all that it holds: every member is wiped at once. */
  | { readonly kind: "end" };

/** The electorate at the worst moment of the step, and after it. */
export interface Course {
  readonly during: Electorate;
  readonly after: Electorate;
}

/** What a step makes of an electorate; whether that may be is not asked here. */
export function courseOf(electorate: Electorate, step: Step): Course {
  const { voters, learners } = electorate;
  switch (step.kind) {
    case "interrupt": {
      const away = (voter: Voter) => (voter.id === step.member ? { ...voter, healthy: false } : voter);
      return { during: { voters: voters.map(away), learners: learners.map(away) }, after: electorate };
    }
    case "remove": {
      const others = ({ id }: Voter) => id !== step.member;
      const after = { voters: voters.filter(others), learners: learners.filter(others) };
      return { during: after, after };
    }
    case "add": {
      if ([...voters, ...learners].some(({ id }) => id === step.member)) {
        return { during: electorate, after: electorate };
      }
      const newcomer = { id: step.member, healthy: true };
      return {
        during: { voters, learners: [...learners, newcomer] },
        after: { voters: [...voters, newcomer], learners },
      };
    }
    case "end": {
      const nobody = { voters: [], learners: [] };
      return { during: nobody, after: nobody };
    }
    default:
      return step satisfies never;
  }
}
