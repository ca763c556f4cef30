import { beforeEach, describe, expect, it } from "vitest";
import { FirstKnown } from "./first-known.ts";

const NAMES = ["cp-1", "cp-2", "cp-3"];

/** Whatever can go on without anybody else has done so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("FirstKnown", () => {
  let said: string[];
  let tellKnown: () => void;
  let known: Promise<void>;

  beforeEach(() => {
    said = [];
    known = new Promise((resolve) => {
      tellKnown = resolve;
    });
  });

  const waiting = async <T>(give: () => Promise<T>): Promise<T> => {
    const given = await give();
    await known;
    said.push("known");
    return given;
  };
  const give = (name: string) => async () => {
    said.push(name);
    return name;
  };
  it("gives the others theirs once discovery knows the first", async () => {
    const first = new FirstKnown(NAMES, waiting);
    const all = ["cp-2", "cp-1", "worker-1"].map((name) => first.take(name, give(name)));
    await settled();
    expect(said).toEqual(["cp-1"]);
    tellKnown();
    expect(await Promise.all(all)).toEqual(["cp-2", "cp-1", "worker-1"]);
    expect(said).toEqual(["cp-1", "known", "cp-2", "worker-1"]);
  });

  it("holds nobody back, and asks nothing of discovery, where a control plane stands", async () => {
    const first = new FirstKnown(NAMES, waiting);
    first.open();
    await Promise.all(["cp-2", "cp-1"].map((name) => first.take(name, give(name))));
    expect(said.toSorted()).toEqual(["cp-1", "cp-2"]);
  });

  it("lets go those who wait already when one is found that stands", async () => {
    const first = new FirstKnown(NAMES, waiting);
    const second = first.take("cp-2", give("cp-2"));
    await settled();
    expect(said).toEqual([]);
    first.open();
    await second;
    expect(said).toEqual(["cp-2"]);
  });

  it("does not hold the others for a first that took no configuration", async () => {
    const first = new FirstKnown(NAMES, waiting);
    const second = first.take("cp-2", give("cp-2"));
    await expect(first.take("cp-1", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await second;
    expect(said).toEqual(["cp-2"]);
  });

  it("asks nothing of discovery for a control plane that is alone", async () => {
    const first = new FirstKnown(["cp-1"], waiting);
    await first.take("worker-1", give("worker-1"));
    await first.take("cp-1", give("cp-1"));
    expect(said).toEqual(["worker-1", "cp-1"]);
  });
});
