import { describe, expect, it } from "vitest";
import { judge } from "./conditions.ts";

type Status = "True" | "False" | "Unknown";

function observed(
  conditions: readonly { type: string; status: Status; reason?: string; observedGeneration?: number }[],
) {
  return {
    metadata: { generation: 3 },
    status: { conditions: conditions.map((condition) => ({ message: "words", ...condition })) },
  };
}

describe("what an object says of itself", () => {
  it("is nothing as long as it has no status", () => {
    expect(judge({ metadata: {} }, "Ready")).toEqual({
      kind: "waiting",
      words: "it has not said anything yet",
    });
  });

  it("is true, in words", () => {
    const verdict = judge(observed([{ type: "Ready", status: "True", reason: "Succeeded" }]), "Ready");
    expect(verdict).toEqual({ kind: "true", words: "Succeeded: words" });
  });

  it("does not count when it was said of an earlier generation, good or bad", () => {
    for (const status of ["True", "False"] as const) {
      const earlier = observed([{ type: "Ready", status, reason: "X", observedGeneration: 2 }]);
      expect(judge(earlier, "Ready").kind).toBe("waiting");
    }
  });

  it("is no failure while it waits for others", () => {
    const waiting = observed([{ type: "Ready", status: "False", reason: "DependencyNotReady" }]);
    expect(judge(waiting, "Ready").kind).toBe("waiting");
  });

  it("is a failure that may pass, and one that stays when it has stalled", () => {
    const failing = { type: "Ready", status: "False", reason: "GitOperationFailed" } as const;
    expect(judge(observed([failing]), "Ready")).toMatchObject({ kind: "false", final: false });
    const stalled = observed([failing, { type: "Stalled", status: "True", reason: "URLInvalid" }]);
    expect(judge(stalled, "Ready")).toMatchObject({ kind: "false", final: true, words: "URLInvalid: words" });
  });
});
