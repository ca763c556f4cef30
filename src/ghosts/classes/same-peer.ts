import type { Evidence, Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedAt, memberText, membersOf, serviceText, testimonyOf } from "../witness.ts";

/** Seconds after which a voter that never started is a ghost: who adds one by hand starts it next. */
const UNSTARTED_PATIENCE = 30;

/**
 * G2, the seed's ghost: a member under another name holds the peer address of a node that wants to join. Talos takes out
 * only what is called as the node itself is, so it never ends.
 */
export function samePeer(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const expected = expectedAt(testimony, member.peers);
    const node = expected && testimonyOf(testimony, expected.name);
    const unstarted = member.name === "";
    if (expected === undefined || (unstarted && member.learner)) return [];
    // What the node calls itself counts, because Talos goes by it; one that runs this very member is no ghost.
    const caller = node?.hostname ?? expected.name;
    if (member.name === caller || node?.etcd?.member === member.id) return [];
    // The machine that was this member has another castle's disk now: a ghost of its own class.
    if (node?.answer === "foreign") return [];
    const seconds = member.seconds ?? 0;
    const waiting = unstarted && seconds < UNSTARTED_PATIENCE;
    const seen: Evidence[] =
      node?.etcd === undefined
        ? []
        : [{ source: "machine", fact: `${expected.name}: ${serviceText(node.etcd)}` }];
    return [
      {
        class: "G2",
        title: "A member under another name holds the address of a node of the spec",
        subject: unstarted ? member.id : member.name,
        state: waiting ? { kind: "joining", seconds, ghostAt: UNSTARTED_PATIENCE } : { kind: "ghost" },
        evidence: [
          { source: "etcd", fact: memberText(member) },
          {
            source: "spec",
            fact: `${expected.address} belongs to ${expected.name}${caller === expected.name ? "" : `, which calls itself ${caller}`}`,
          },
          ...seen,
        ],
        cures: waiting
          ? [{ kind: "wait", seconds: UNSTARTED_PATIENCE }]
          : [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
