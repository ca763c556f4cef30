import type { Evidence, Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedAt, memberText, membersOf, serviceText, testimonyOf } from "../witness.ts";

/** Seconds after which a learner that never started is a ghost: lab.md saw healthy ones take up to 20. */
export const UNSTARTED_PATIENCE = 30;

/** G4: a learner that was added and never started. etcd takes one learner at a time, so it blocks every join. */
export function stuckLearner(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    if (!member.learner || member.name !== "") return [];
    const expected = expectedAt(testimony, member.peers);
    const node = expected && testimonyOf(testimony, expected.name);
    const seconds = member.seconds ?? node?.etcd?.seconds ?? 0;
    const waiting = seconds < UNSTARTED_PATIENCE;
    const owner: Evidence =
      expected === undefined
        ? { source: "spec", fact: `no node has ${member.peers.join(", ")}` }
        : { source: "spec", fact: `${expected.address} belongs to ${expected.name}` };
    const service: Evidence[] =
      expected !== undefined && node?.etcd !== undefined
        ? [{ source: "machine", fact: `${expected.name}: ${serviceText(node.etcd)}` }]
        : [];
    return [
      {
        class: "G4",
        title: "A learner that never started blocks every further join",
        subject: expected?.name ?? member.id,
        state: waiting ? { kind: "joining", seconds, ghostAt: UNSTARTED_PATIENCE } : { kind: "ghost" },
        evidence: [{ source: "etcd", fact: memberText(member) }, owner, ...service],
        cures: waiting
          ? [{ kind: "wait", seconds: UNSTARTED_PATIENCE }]
          : [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
