import { type Standing, majority, standingOf } from "../quorum/standing.ts";
import { electorateOf } from "./classify.ts";
import type { Testimony } from "./testimony.ts";

/** Whether etcd can decide anything, as far as anybody tells. */
export interface Quorum {
  /** `lost`: there is an etcd, and no leader in it. `unknown`: nobody told of an etcd, as before its first member. */
  readonly state: "holds" | "lost" | "unknown";
  /** Where quorum is lost, nobody tells the members any more: voters are then the control planes of the spec. */
  readonly standing: Standing | undefined;
}

export function quorumOf(testimony: Testimony): Quorum {
  if (testimony.etcd !== undefined) {
    return { state: "holds", standing: standingOf(electorateOf(testimony)) };
  }
  const alive = testimony.nodes.filter(({ etcd }) => etcd?.member !== undefined).length;
  if (alive === 0) return { state: "unknown", standing: undefined };
  const voters = testimony.spec.filter(({ role }) => role === "controlplane").length;
  const quorum = majority(voters);
  return { state: "lost", standing: { voters, healthy: alive, quorum, tolerance: alive - quorum } };
}
