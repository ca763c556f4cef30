import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { firstToAccept } from "./first-to-accept.ts";

const never = new AbortController().signal;
const accepting = async () => new Socket();

describe("firstToAccept", () => {
  it("tries the next beside one that stays silent, and calls the silent one off", async () => {
    const winner = new Socket();
    const calledOff: string[] = [];
    const won = await firstToAccept(
      ["silent", "quick"],
      (target, signal) =>
        target === "quick"
          ? Promise.resolve(winner)
          : new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                calledOff.push(target);
                reject(new Error("off"));
              });
            }),
      { patience: 1, signal: never },
    );
    expect(won).toBe(winner);
    expect(calledOff).toEqual(["silent"]);
  });

  it("does not ask the second while the first accepts", async () => {
    const asked: string[] = [];
    await firstToAccept(
      ["first", "second"],
      async (target) => {
        asked.push(target);
        return new Socket();
      },
      { patience: 60_000, signal: never },
    );
    expect(asked).toEqual(["first"]);
  });

  it("moves on at once after a refusal, and ends with the last one's error", async () => {
    const asked: string[] = [];
    const refused = firstToAccept(
      ["a", "b", "c"],
      async (target) => {
        asked.push(target);
        throw new Error(`${target} refused`);
      },
      { patience: 60_000, signal: never },
    );
    await expect(refused).rejects.toThrow("c refused");
    expect(asked).toEqual(["a", "b", "c"]);
  });

  it("closes the one that comes second", async () => {
    const late = new Socket();
    let accept: ((socket: Socket) => void) | undefined;
    const won = firstToAccept(
      ["slow", "quick"],
      (target) =>
        target === "quick"
          ? Promise.resolve(new Socket())
          : new Promise((resolve) => {
              accept = resolve;
            }),
      { patience: 1, signal: never },
    );
    await won;
    accept?.(late);
    await Promise.resolve();
    expect(late.destroyed).toBe(true);
  });

  it("has nothing to try without targets, or when called off before", async () => {
    await expect(firstToAccept([], accepting, { patience: 1, signal: never })).rejects.toThrow("no target");
    const aborted = AbortSignal.abort(new Error("called off"));
    await expect(firstToAccept(["a"], accepting, { patience: 1, signal: aborted })).rejects.toThrow(
      "called off",
    );
  });
});
