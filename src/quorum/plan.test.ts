import { array, assert, boolean, constantFrom, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { judge, planSteps } from "./plan.ts";
import { type Electorate, type Voter, holds, majority, standingOf, standingText } from "./standing.ts";
import { type Step, courseOf } from "./step.ts";

/** "abc": three healthy voters; upper case is unhealthy; after a plus: learners. */
function electorate(text: string): Electorate {
  const [voters = "", learners = ""] = text.split("+");
  return { voters: members(voters), learners: members(learners) };
}

function members(letters: string): Voter[] {
  return letters
    .split("")
    .map((letter) => ({ id: letter.toLowerCase(), healthy: letter === letter.toLowerCase() }));
}

const interrupt = (member: string): Step => ({ kind: "interrupt", member });
const remove = (member: string): Step => ({ kind: "remove", member });
const add = (member: string): Step => ({ kind: "add", member });

describe("the seed's arithmetic", () => {
  it.each([
    [1, 1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [4, 3, 1],
    [5, 3, 2],
    [7, 4, 3],
  ])("%i voters: quorum %i, tolerance %i", (voters, quorum, tolerance) => {
    expect(majority(voters)).toBe(quorum);
    expect(standingOf(electorate("abcdefg".slice(0, voters)))).toEqual({
      voters,
      healthy: voters,
      quorum,
      tolerance,
    });
  });

  it("says how many are missing", () => {
    expect(standingText(standingOf(electorate("aBC")))).toBe(
      "3 voters, 1 healthy, quorum 2, 1 short of quorum",
    );
  });
});

describe("one step", () => {
  it.each([
    ["abc", interrupt("a"), "safe"],
    ["abC", interrupt("a"), "refused"],
    ["abC", interrupt("c"), "safe"],
    ["a", interrupt("a"), "outage"],
    ["ab", interrupt("a"), "refused"],
    ["abc", remove("a"), "safe"],
    ["abC", remove("c"), "safe"],
    ["abC", remove("a"), "refused"],
    ["aBC", remove("b"), "refused"],
    ["ab", remove("b"), "safe"],
    ["aB", remove("b"), "refused"],
    ["a", remove("a"), "refused"],
    ["abc", remove("x"), "safe"],
    ["abc+l", remove("l"), "safe"],
    ["abc", add("d"), "safe"],
    ["a", add("b"), "safe"],
    ["abc+l", add("d"), "refused"],
    ["aBC", add("d"), "refused"],
    ["abc", add("a"), "safe"],
    ["abC", { kind: "end" }, "end"],
  ] as const)("%s, %o: %s", (before, step, verdict) => {
    expect(judge(electorate(before), step).verdict).toBe(verdict);
  });

  it("tells the arithmetic", () => {
    expect(judge(electorate("abC"), interrupt("a")).reason).toBe(
      "quorum would be lost meanwhile: 3 voters, 1 healthy, quorum 2, 1 short of quorum",
    );
  });
});

describe("steps in a row", () => {
  it("replaces a dead control plane: out, then in", () => {
    const plan = planSteps(electorate("abC"), [remove("c"), add("d")]);
    expect(plan.allowed).toBe(true);
    expect(plan.steps.at(-1)?.after).toMatchObject({ voters: 3, healthy: 3 });
  });

  it("does not scale three down to one while one is dead and none replaced it", () => {
    const plan = planSteps(electorate("abC"), [remove("a"), remove("c")]);
    expect(plan.steps.map(({ verdict }) => verdict)).toEqual(["refused", "safe"]);
    expect(plan.allowed).toBe(false);
  });
});

const anyElectorate = tuple(
  array(boolean(), { minLength: 1, maxLength: 9 }),
  array(boolean(), { maxLength: 1 }),
).map(
  ([voters, learners]): Electorate => ({
    voters: voters.map((healthy, index) => ({ id: `v${index}`, healthy })),
    learners: learners.map((healthy, index) => ({ id: `l${index}`, healthy })),
  }),
);

const anyStep = tuple(
  constantFrom("interrupt" as const, "remove" as const, "add" as const),
  constantFrom("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "l0", "n0", "n1", "n2"),
).map(([kind, member]): Step => ({ kind, member }));

describe("any electorate, any steps", () => {
  it("what is called safe never takes quorum from a cluster that has it", () => {
    const walk = property(anyElectorate, array(anyStep, { maxLength: 12 }), (start, steps) => {
      let current = start;
      return steps.every((step) => {
        if (judge(current, step).verdict !== "safe") return true;
        const { during, after } = courseOf(current, step);
        const kept = !decides(current) || (decides(during) && decides(after));
        current = after;
        return kept;
      });
    });
    expect(() => assert(walk)).not.toThrow();
  });

  it("the members of a cluster without quorum are never changed", () => {
    const unchanged = property(anyElectorate, anyStep, (electorate, step) => {
      if (decides(electorate) || step.kind === "interrupt") return true;
      const { after } = courseOf(electorate, step);
      return judge(electorate, step).verdict === "refused" || sameMembers(after, electorate);
    });
    expect(() => assert(unchanged)).not.toThrow();
  });

  it("a refused step would lose quorum, or there is none, or the end of it, or no room for a learner", () => {
    const needed = property(anyElectorate, anyStep, (electorate, step) => {
      const { verdict, before, during, after } = judge(electorate, step);
      const room = step.kind !== "add" || electorate.learners.length === 0;
      const harmless = [before, during, after].every(holds) && after.voters > 0 && room;
      return verdict !== "refused" || !harmless;
    });
    expect(() => assert(needed)).not.toThrow();
  });
});

function decides(electorate: Electorate): boolean {
  return holds(standingOf(electorate));
}

function sameMembers(one: Electorate, other: Electorate): boolean {
  return JSON.stringify(ids(one)) === JSON.stringify(ids(other));
}

function ids({ voters, learners }: Electorate): string[][] {
  return [voters, learners].map((group) => group.map(({ id }) => id));
}
