import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedNamed, isJoining, memberText, membersOf, serviceText, testimonyOf } from "../witness.ts";

/** Seconds that Talos may take to put its old member out and join again; it needs quorum for it. */
export const SAME_NAME_PATIENCE = 60;

/** G1: a machine came back with an empty disk under its old name; etcd still lists what it was. */
export function sameName(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const expected = expectedNamed(testimony, member.name);
    const node = expected && testimonyOf(testimony, expected.name);
    if (expected === undefined || !member.peers.includes(expected.address)) return [];
    if (node?.answer !== "trusted" || !isJoining(node.etcd)) return [];
    if (node.etcd.complaints.includes("removed")) return [];
    // Under another name Talos does not see itself in the list.
    if (node.hostname !== undefined && node.hostname !== member.name) return [];
    const seconds = node.etcd.seconds ?? 0;
    const waiting = seconds < SAME_NAME_PATIENCE;
    return [
      {
        class: "G1",
        title: "A node with an empty disk joins under the name of its own old member",
        subject: expected.name,
        state: waiting ? { kind: "joining", seconds, ghostAt: SAME_NAME_PATIENCE } : { kind: "ghost" },
        evidence: [
          { source: "spec", fact: `${expected.name} is a control plane on ${expected.address}` },
          { source: "etcd", fact: memberText(member) },
          { source: "machine", fact: `${expected.name}: ${serviceText(node.etcd)}` },
        ],
        cures: waiting
          ? [{ kind: "wait", seconds: SAME_NAME_PATIENCE }]
          : [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
