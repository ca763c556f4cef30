import type { Ghost } from "../ghost.ts";
import type { Testimony } from "../testimony.ts";
import { testimonyOf } from "../witness.ts";

/** The first 3.5 that puts removed members out of the store that 3.6 reads. Source: etcd.io/blog/2025/zombie_members_upgrade */
const REPAIRED = "3.5.26";

/**
 * G6: members that were removed under etcd 3.5 are back in the lists of those members that run 3.6 already, because
 * 3.6 reads another store than 3.5 did. Told by the two lists that contradict each other.
 */
export function zombie(testimony: Testimony): Ghost[] {
  const { etcd } = testimony;
  if (etcd === undefined) return [];
  const listed = new Set(etcd.members.map(({ id }) => id));
  const versions = testimony.nodes.map(({ etcd: own }) => own?.version);
  if (!versions.some((version) => version?.startsWith("3.5."))) return [];
  const resurrected = new Map<string, string[]>();
  for (const { node, members } of etcd.contradictions) {
    if (testimonyOf(testimony, node)?.etcd?.version?.startsWith("3.5.") !== false) continue;
    for (const id of members) {
      if (!listed.has(id)) resurrected.set(id, [...(resurrected.get(id) ?? []), node]);
    }
  }
  return [...resurrected].map(
    ([id, nodes]): Ghost => ({
      class: "G6",
      title: "A removed member is back since the upgrade from etcd 3.5 to 3.6",
      subject: id,
      state: { kind: "ghost" },
      evidence: [
        ...nodes.map((node) => ({
          source: "etcd" as const,
          fact: `${node}, etcd ${testimonyOf(testimony, node)?.etcd?.version ?? "unknown"}, lists member ${id}`,
        })),
        ...testimony.nodes
          .filter(({ etcd: own }) => own?.version?.startsWith("3.5."))
          .map(({ name, etcd: own }) => ({
            source: "etcd" as const,
            fact: `${name}, etcd ${own?.version ?? "unknown"}, does not`,
          })),
      ],
      cures: [{ kind: "block-upgrade", until: REPAIRED }],
    }),
  );
}
