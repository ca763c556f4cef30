import type { Castle, CastleNode } from "../../spec/castle.ts";

export interface TargetGroup {
  /** HOST:PORT */
  readonly targets: readonly string[];
  readonly labels: { readonly node: string; readonly role: string };
}

/** Nodes come from the spec: one that never registered is down, and not merely unknown. */
export function nodeTargets({ nodes }: Castle, port: number): readonly TargetGroup[] {
  return nodes.map((node) => target(node, port));
}

export function controlPlaneTargets({ nodes }: Castle, port: number): readonly TargetGroup[] {
  return nodes.filter(({ role }) => role === "controlplane").map((node) => target(node, port));
}

function target({ name, address, role }: CastleNode, port: number): TargetGroup {
  return { targets: [`${address}:${port}`], labels: { node: name, role } };
}
