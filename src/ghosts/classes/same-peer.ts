import type { Evidence, Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedAt, memberText, membersOf, serviceText, testimonyOf } from "../witness.ts";

/** G2, the seed's ghost: a member under another name holds the peer address of a node that wants to join. */
export function samePeer(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const expected = expectedAt(testimony, member.peers);
    if (expected === undefined || member.name === "" || member.name === expected.name) return [];
    const etcd = testimonyOf(testimony, expected.name)?.etcd;
    const seen: Evidence[] =
      etcd === undefined ? [] : [{ source: "machine", fact: `${expected.name}: ${serviceText(etcd)}` }];
    return [
      {
        class: "G2",
        title: "A member under another name holds the address of a node of the spec",
        subject: member.name,
        state: { kind: "ghost" },
        evidence: [
          { source: "etcd", fact: memberText(member) },
          {
            source: "spec",
            fact: `${expected.address} belongs to ${expected.name}; no node is named ${member.name}`,
          },
          ...seen,
        ],
        cures: [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
