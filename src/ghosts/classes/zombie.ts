import type { Ghost } from "../ghost.ts";
import type { NodeTestimony, Testimony } from "../testimony.ts";
import { expectedNamed, memberText, membersOf, testimonyOf } from "../witness.ts";

/** The first 3.5 that puts removed members out of the store that 3.6 reads. Source: etcd.io/blog/2025/zombie_members_upgrade */
const REPAIRED = "3.5.26";

const TITLE = "A removed member is back since the upgrade from etcd 3.5 to 3.6";

/**
 * G6: members that were removed under etcd 3.5 are back, because 3.6 reads another store than 3.5 did. While both are
 * there, the lists contradict each other; after the upgrade all agree, and a node that runs one member has another too.
 */
export function zombie(testimony: Testimony): Ghost[] {
  const old = testimony.nodes.filter(({ etcd }) => etcd?.version?.startsWith("3.5.") === true);
  return old.length > 0 ? contradicted(testimony, old) : doubled(testimony);
}

function contradicted(testimony: Testimony, old: readonly NodeTestimony[]): Ghost[] {
  const { etcd } = testimony;
  if (etcd === undefined) return [];
  const listed = new Set(etcd.members.map(({ id }) => id));
  const resurrected = new Map<string, string[]>();
  for (const { node, members } of etcd.contradictions) {
    if (testimonyOf(testimony, node)?.etcd?.version?.startsWith("3.5.") !== false) continue;
    for (const id of members) {
      if (!listed.has(id)) resurrected.set(id, [...(resurrected.get(id) ?? []), node]);
    }
  }
  const version = (node: string) => testimonyOf(testimony, node)?.etcd?.version ?? "unknown";
  return [...resurrected].map(
    ([id, nodes]): Ghost => ({
      class: "G6",
      title: TITLE,
      subject: id,
      state: { kind: "ghost" },
      evidence: [
        ...nodes.map((node) => ({
          source: "etcd" as const,
          fact: `${node}, etcd ${version(node)}, lists member ${id}`,
        })),
        ...old.map(({ name }) => ({
          source: "etcd" as const,
          fact: `${name}, etcd ${version(name)}, does not`,
        })),
      ],
      cures: [{ kind: "block-upgrade", until: REPAIRED }],
    }),
  );
}

/** A node that runs as one voter, and is listed as a second one besides. */
function doubled(testimony: Testimony): Ghost[] {
  const members = membersOf(testimony);
  return members.flatMap((member): Ghost[] => {
    const expected = expectedNamed(testimony, member.name);
    if (expected === undefined || !member.peers.includes(expected.address)) return [];
    const own = testimonyOf(testimony, expected.name)?.etcd?.member;
    const runs = members.find(({ id }) => id === own);
    if (runs === undefined || runs.id === member.id) return [];
    return [
      {
        class: "G6",
        title: TITLE,
        subject: member.id,
        state: { kind: "ghost" },
        evidence: [
          { source: "etcd", fact: memberText(member) },
          { source: "machine", fact: `${expected.name} runs as ${memberText(runs)}` },
        ],
        cures: [{ kind: "remove-member", member: member.id }],
      },
    ];
  });
}
