import { describe, expect, it } from "vitest";
import type { JudgedGhost } from "./ghost.ts";
import { nextToTreat } from "./turn.ts";

function ghost(subject: string, cure: "wipe-etcd" | "remove-member", joining?: number): JudgedGhost {
  return {
    class: cure === "wipe-etcd" ? "G5" : "G4",
    title: "",
    subject,
    state: joining === undefined ? { kind: "ghost" } : { kind: "joining", seconds: joining, ghostAt: 30 },
    evidence: [],
    cures: [
      cure === "wipe-etcd"
        ? { kind: "wipe-etcd", node: subject }
        : { kind: "remove-member", member: subject },
    ],
    quorum: [],
    curable: true,
  };
}

const all = () => true;
const old = ghost("cp-3", "wipe-etcd");
const learner = ghost("a1", "remove-member");

describe("whose turn it is", () => {
  it("is a member's that never came, before a node that has to join", () => {
    expect(nextToTreat([old, learner], all)).toBe(learner);
    expect(nextToTreat([learner, old], all)).toBe(learner);
  });

  it("is the node's once nobody is in its way", () => {
    expect(nextToTreat([old], all)).toBe(old);
  });

  it("is nobody's while a member may still come that the node would wait for", () => {
    expect(nextToTreat([old, ghost("a2", "remove-member", 12)], all)).toBeUndefined();
    expect(nextToTreat([learner, ghost("a2", "remove-member", 12)], all)).toBe(learner);
  });

  it("is nobody's where castle cannot or may not do anything", () => {
    expect(nextToTreat([{ ...learner, curable: false }], all)).toBeUndefined();
    expect(nextToTreat([learner], () => false)).toBeUndefined();
    expect(nextToTreat([], all)).toBeUndefined();
  });
});
