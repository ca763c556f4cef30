import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { memberText, membersOf, serviceText } from "../witness.ts";

/** G5: a node of the spec boots with the data of a member that was removed; its etcd ends at once, for ever. */
export function removedData(testimony: Testimony): Ghost[] {
  return testimony.nodes.flatMap(({ name, answer, etcd }): Ghost[] => {
    if (answer !== "trusted" || !(etcd?.complaints.includes("removed") === true)) return [];
    const members = membersOf(testimony);
    // Between two of its crashes it answers for a moment, with the id that the others have removed.
    if (members.some(({ id }) => id === etcd.member)) return [];
    // What it was after the removal and before the old data came back.
    const later = members.find((member) => member.name === name);
    return [
      {
        class: "G5",
        title: "A node starts with the data of a member that was removed",
        subject: name,
        state: { kind: "ghost" },
        evidence: [
          { source: "machine", fact: `${name}: ${serviceText(etcd)}` },
          {
            source: "etcd",
            fact:
              later === undefined ? `no member is named ${name}` : `${memberText(later)}, which is another`,
          },
        ],
        cures: [
          ...(later === undefined ? [] : [{ kind: "remove-member" as const, member: later.id }]),
          { kind: "wipe-etcd", node: name },
        ],
      },
    ];
  });
}
