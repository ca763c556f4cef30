import type { Quorum } from "./quorum.ts";
import type { Testimony } from "./testimony.ts";

/** What brings a castle back whose etcd has no quorum, and what is lost by it. */
export interface WayOut {
  readonly command: string;
  readonly loses: string;
}

/** The ways out of a lost quorum, the cheapest first; none where quorum holds. */
export function waysOut(testimony: Testimony, { state, standing }: Quorum): readonly WayOut[] {
  if (state !== "lost" || standing === undefined) return [];
  const off = testimony.nodes.filter(
    ({ name, machine }) =>
      machine === "stopped" &&
      testimony.spec.some((node) => node.name === name && node.role === "controlplane"),
  );
  const enough = standing.tolerance + off.length >= 0;
  return [
    ...(enough
      ? [{ command: "castle up", loses: `nothing: it powers ${off.map(({ name }) => name).join(", ")} on` }]
      : []),
    { command: "castle restore BACKUP", loses: "what was written to etcd since that backup" },
    {
      command: "castle rebuild --yes",
      loses: "what etcd holds and Git and the secret store do not, and every volume on the nodes",
    },
  ];
}
