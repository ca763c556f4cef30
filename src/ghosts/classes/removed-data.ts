import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { membersOf, serviceText } from "../witness.ts";

/** G5: a node of the spec boots with the data of a member that was removed; its etcd ends at once, for ever. */
export function removedData(testimony: Testimony): Ghost[] {
  return testimony.nodes.flatMap(({ name, answer, etcd }): Ghost[] => {
    if (answer !== "trusted" || etcd === undefined || etcd.member !== undefined) return [];
    if (!etcd.complaints.includes("removed")) return [];
    const listed = membersOf(testimony).find((member) => member.name === name);
    if (listed !== undefined && !listed.learner) return [];
    return [
      {
        class: "G5",
        title: "A node starts with the data of a member that was removed",
        subject: name,
        state: { kind: "ghost" },
        evidence: [
          { source: "machine", fact: `${name}: ${serviceText(etcd)}` },
          { source: "etcd", fact: `no member is named ${name}` },
        ],
        cures: [{ kind: "wipe-etcd", node: name }],
      },
    ];
  });
}
