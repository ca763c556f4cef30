import { describe, expect, it } from "vitest";
import { changed, healthy, memberId, preparing, running } from "../../../test/fixtures/testimony/healthy.ts";
import { classify } from "../classify.ts";
import type { Testimony } from "../testimony.ts";

const verdicts = (testimony: Testimony) =>
  classify(testimony).map(({ class: name, subject, state }) => `${name} ${subject} ${state.kind}`);

/** A worker whose machine API is silent. */
const silent = (kubelet: "trusted" | "foreign") =>
  changed(healthy(), { node: { name: "fortress-worker-1", answer: "silent", kubelet } });

describe("G8: another castle's disk", () => {
  it("answers with another authority", () => {
    const testimony = changed(healthy(), { node: { name: "fortress-cp-1", answer: "foreign" } });
    expect(verdicts(testimony)).toEqual(["G8 fortress-cp-1 ghost"]);
  });

  it("is silent, and has a kubelet of another castle's", () => {
    expect(verdicts(silent("trusted"))).toEqual([]);
    const [ghost] = classify(silent("foreign"));
    expect(ghost).toMatchObject({
      class: "G8",
      subject: "fortress-worker-1",
      cures: [{ kind: "reprovision", node: "fortress-worker-1" }],
      quorum: [],
      curable: true,
    });
    expect(ghost?.evidence[0]?.fact).toBe(
      "fortress-worker-1: its machine API is silent, and its kubelet does not know this castle's authority",
    );
  });

  it("speaks of another cluster", () => {
    const etcd = preparing(4, "other-cluster");
    expect(verdicts(changed(healthy(), { node: { name: "fortress-cp-1", etcd } }))).toEqual([
      "G8 fortress-cp-1 ghost",
    ]);
  });
});

describe("G8: a control plane whose member is listed", () => {
  it("is taken out of etcd before its machine is made anew", () => {
    const testimony = changed(healthy(), {
      node: { name: "fortress-cp-1", answer: "foreign", etcd: { ...running("x"), healthy: false } },
    });
    const [ghost] = classify(testimony);
    expect(ghost?.cures.map(({ kind }) => kind)).toEqual(["remove-member", "reprovision"]);
    expect(ghost?.quorum.map(({ step }) => step.kind)).toEqual(["remove", "add"]);
  });

  it("is one ghost, whatever that member is called", () => {
    const renamed = changed(healthy(), {
      node: { name: "fortress-cp-1", answer: "foreign" },
      member: { id: memberId(0), name: "old-cp-1" },
    });
    expect(verdicts(renamed)).toEqual(["G8 fortress-cp-1 ghost"]);
    expect(classify(renamed)[0]?.cures[0]).toEqual({ kind: "remove-member", member: memberId(0) });
  });
});
