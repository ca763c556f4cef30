import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { expectedAt, expectedNamed, memberText, membersOf } from "../witness.ts";

/** G3: a member that the spec knows neither by name nor by address. It only makes the tolerance lower. */
export function unknownMember(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const known =
      expectedNamed(testimony, member.name) !== undefined ||
      expectedAt(testimony, member.peers) !== undefined;
    if (member.name === "" || known) return [];
    return [
      {
        class: "G3",
        title: "A member that the spec does not know",
        subject: member.name,
        state: { kind: "ghost" },
        evidence: [
          { source: "etcd", fact: memberText(member) },
          { source: "spec", fact: `no node is named ${member.name} or has ${member.peers.join(", ")}` },
        ],
        cures: [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
