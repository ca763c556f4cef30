import type { Ghost } from "../ghost.ts";
import type { Member, Testimony } from "../testimony.ts";
import { expectedAt, expectedNamed, memberText, membersOf } from "../witness.ts";

/** G3: a member that the spec knows neither by name nor by address. It only makes the tolerance lower. */
export function unknownMember(testimony: Testimony): Ghost[] {
  return membersOf(testimony).flatMap((member): Ghost[] => {
    const known =
      expectedNamed(testimony, member.name) !== undefined ||
      expectedAt(testimony, member.peers) !== undefined;
    // A learner without a name is a class of its own.
    if (known || (member.name === "" && member.learner)) return [];
    return [
      {
        class: "G3",
        title: "A member that the spec does not know",
        subject: member.name === "" ? member.id : member.name,
        state: { kind: "ghost" },
        evidence: [
          { source: "etcd", fact: memberText(member) },
          { source: "spec", fact: strangeness(member) },
        ],
        cures: [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}

function strangeness({ name, peers }: Member): string {
  return name === ""
    ? `no node has ${peers.join(", ")}`
    : `no node is named ${name} or has ${peers.join(", ")}`;
}
