import type { Judged } from "../quorum/plan.ts";
import type { Step } from "../quorum/step.ts";

/** operations.md's classes, G6 last seen between etcd 3.5 and 3.6. */
export type GhostClass = "G1" | "G2" | "G3" | "G4" | "G5" | "G6" | "G7" | "G8";

export interface Evidence {
  readonly source: "spec" | "machine" | "etcd" | "discovery" | "kubernetes" | "hypervisor";
  /** One fact, with the names and ids in it. */
  readonly fact: string;
}

/** What ends a ghost, and by whom. */
export type Cure =
  /** Talos does it by itself within `seconds`; castle only looks. */
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "remove-member"; readonly member: string }
  /** The node forgets its etcd (its EPHEMERAL disk) and joins anew. */
  | { readonly kind: "wipe-etcd"; readonly node: string }
  /** The machine is made new. */
  | { readonly kind: "reprovision"; readonly node: string }
  | { readonly kind: "delete-node"; readonly node: string }
  /** Discovery forgets what nobody renews; its time to live is 30 minutes. */
  | { readonly kind: "expire"; readonly node: string }
  /** Nothing can be cured on the running cluster; upgrading is what must not be done. */
  | { readonly kind: "block-upgrade"; readonly until: string };

export interface Ghost {
  readonly class: GhostClass;
  readonly title: string;
  /** The node's name, or the member's id where nothing has a name. */
  readonly subject: string;
  /** `joining` is normal until `ghostAt` seconds; then the same picture is a ghost. */
  readonly state:
    | { readonly kind: "ghost" }
    | { readonly kind: "joining"; readonly seconds: number; readonly ghostAt: number };
  readonly evidence: readonly Evidence[];
  /** In the order in which they are done. */
  readonly cures: readonly Cure[];
}

/** A step that one member goes through. */
export type MemberStep = Extract<Step, { readonly member: string }>;

export interface JudgedStep extends Judged {
  readonly step: MemberStep;
}

/** A ghost with the arithmetic of its cure. */
export interface JudgedGhost extends Ghost {
  /** One a step of the cure that touches etcd's membership. */
  readonly quorum: readonly JudgedStep[];
  readonly curable: boolean;
}
