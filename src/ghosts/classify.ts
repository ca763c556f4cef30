import { judge } from "../quorum/plan.ts";
import type { Electorate } from "../quorum/standing.ts";
import { courseOf } from "../quorum/step.ts";
import { lingering } from "./classes/lingering.ts";
import { otherCastle } from "./classes/other-castle.ts";
import { removedData } from "./classes/removed-data.ts";
import { sameName } from "./classes/same-name.ts";
import { samePeer } from "./classes/same-peer.ts";
import { stuckLearner } from "./classes/stuck-learner.ts";
import { unknownMember } from "./classes/unknown-member.ts";
import { zombie } from "./classes/zombie.ts";
import type { Cure, Ghost, JudgedGhost, JudgedStep, MemberStep } from "./ghost.ts";
import type { Testimony } from "./testimony.ts";
import { expectedAt, isJoining, membersOf } from "./witness.ts";

/** In the order in which they are told: what stops the castle first. */
const classes = [
  otherCastle,
  removedData,
  samePeer,
  stuckLearner,
  sameName,
  unknownMember,
  zombie,
  lingering,
] as const;

/** Every ghost in a testimony, one a subject, each with the arithmetic of its cure as if it were the only one. */
export function classify(testimony: Testimony): JudgedGhost[] {
  const electorate = electorateOf(testimony);
  const told = new Set<string>();
  return classes
    .flatMap((find) => find(testimony))
    .filter(({ subject }) => !told.has(subject) && told.add(subject))
    .map((ghost) => judged(ghost, testimony, electorate));
}

/** Who votes, as this testimony has it: a member is healthy if the node that owns it says so of it. */
export function electorateOf(testimony: Testimony): Electorate {
  const healthy = new Set(
    testimony.nodes.flatMap(({ etcd }) =>
      etcd?.healthy === true && etcd.member !== undefined ? [etcd.member] : [],
    ),
  );
  const counted = (learner: boolean) =>
    membersOf(testimony)
      .filter((member) => member.learner === learner)
      .map(({ id, healthy: well }) => ({ id, healthy: well ?? healthy.has(id) }));
  return { voters: counted(false), learners: counted(true) };
}

function judged(ghost: Ghost, testimony: Testimony, electorate: Electorate): JudgedGhost {
  const quorum: JudgedStep[] = [];
  let current = electorate;
  for (const step of stepsOf(ghost, testimony)) {
    quorum.push({ ...judge(current, step), step });
    current = courseOf(current, step).after;
  }
  return { ...ghost, quorum, curable: quorum.every(({ verdict }) => verdict === "safe") };
}

/** What of a cure etcd's membership feels: who goes, and who then joins in its place. */
function stepsOf({ cures }: Ghost, testimony: Testimony): MemberStep[] {
  const steps = cures.flatMap((cure) => stepOf(cure, testimony));
  const removed = new Set(steps.map(({ member }) => member));
  // A node that waits to join does so by itself once nobody stands in its way.
  const waiting = testimony.nodes.filter(
    ({ name, etcd }) => isJoining(etcd) && !steps.some(({ member }) => member === name),
  );
  const freed = waiting.filter(({ name }) =>
    membersOf(testimony).some(
      ({ id, peers, name: called }) =>
        removed.has(id) && (called === name || expectedAt(testimony, peers)?.name === name),
    ),
  );
  return [...steps, ...freed.map(({ name }) => ({ kind: "add" as const, member: name }))];
}

function stepOf(cure: Cure, { spec }: Testimony): MemberStep[] {
  switch (cure.kind) {
    case "remove-member":
      return [{ kind: "remove", member: cure.member }];
    case "wipe-etcd":
      return [{ kind: "add", member: cure.node }];
    case "reprovision":
      return spec.some(({ name, role }) => name === cure.node && role === "controlplane")
        ? [{ kind: "add", member: cure.node }]
        : [];
    case "wait":
    case "delete-node":
    case "expire":
    case "block-upgrade":
      return [];
    default:
      return cure satisfies never;
  }
}
