import type { Castle, CastleNode } from "./castle.ts";

/** The nodes that carry etcd and the Kubernetes API, in the castle's order. */
export function controlPlanes({ nodes }: Pick<Castle, "nodes">): readonly CastleNode[] {
  return nodes.filter(({ role }) => role === "controlplane");
}
