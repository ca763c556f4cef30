import type { CastleNode } from "../spec/castle.ts";

/** The tag that says "this machine belongs to that castle": castle never changes or deletes a machine without it. */
export function ownershipTag(castle: string): string {
  return `castle-${castle}`;
}

/** Sorted, because Proxmox sorts them and Terraform would see a difference otherwise. */
export function machineTags(castle: string, node: CastleNode): readonly string[] {
  return ["castle", ownershipTag(castle), node.role].sort();
}

/** Proxmox hands tags out as one string, separated by semicolons (and takes commas and spaces too). */
export function parseTags(tags: string | undefined): readonly string[] {
  return (tags ?? "").split(/[;, ]+/).filter((tag) => tag !== "");
}
