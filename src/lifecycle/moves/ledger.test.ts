import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Castle } from "../../spec/castle.ts";
import { parseSpec } from "../../spec/parse.ts";
import {
  type Ledger,
  EMPTY_LEDGER,
  begun,
  cleared,
  commandOf,
  contested,
  edited,
  evicted,
  formerTexts,
  released,
  settled,
} from "./ledger.ts";

const SINCE = "2026-01-31T07:00:00.000Z";

function castle(planes: number, workers: number): Castle {
  const text = `castle: fortress\nhypervisor: lab\nnodes: { controlPlanes: { count: ${planes} }, workers: { count: ${workers}, from: 192.168.1.100 } }\n`;
  const parsed = parseSpec(text, "castle.yaml");
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("; "));
  return parsed.castle;
}

const names = (ledger: Ledger) => ledger.quarantine.map(({ name }) => name);

describe("the address of a removed control plane", () => {
  const five = castle(5, 1);
  const leaving = five.nodes.filter(({ name }) => /cp-[45]/.test(name));
  const ledger = evicted(settled(EMPTY_LEDGER, five), leaving, SINCE);

  it("goes into quarantine, with when", () => {
    expect(ledger.quarantine).toMatchObject([
      { name: "fortress-cp-4", address: "192.168.1.214", since: SINCE },
      { name: "fortress-cp-5", address: "192.168.1.215", since: SINCE },
    ]);
    expect(ledger.leases.map(({ name }) => name)).not.toContain("fortress-cp-4");
  });

  it("is contested by whoever wants it, under whatever name", () => {
    const thieves = five.nodes
      .slice(0, 1)
      .map((node) => ({ ...node, name: "fortress-worker-7", address: "192.168.1.214" }));
    expect(contested(ledger, thieves)).toMatchObject([{ name: "fortress-cp-4" }]);
    expect(contested(ledger, castle(3, 1).nodes)).toEqual([]);
  });

  it("is free once it is forgotten, and after a reset", () => {
    expect(names(released(ledger, ledger.quarantine.slice(0, 1)))).toEqual(["fortress-cp-5"]);
    expect(names(cleared(ledger))).toEqual([]);
  });

  it("is not kept for a worker, in whom no etcd believes", () => {
    expect(names(evicted(EMPTY_LEDGER, five.nodes.slice(-1), SINCE))).toEqual([]);
  });
});

it("names the command that goes on with what was begun", () => {
  const ledger = begun(EMPTY_LEDGER, {
    verb: "scale",
    controlPlanes: 3,
    workers: 2,
    leaving: ["fortress-cp-5"],
  });
  expect(ledger.unfinished && commandOf(ledger.unfinished)).toBe(
    "castle scale --control-planes 3 --workers 2",
  );
  expect(begun(ledger, undefined)).toEqual(EMPTY_LEDGER);
});

describe("the edits of castle.yaml", () => {
  const [three, five, seven] = ["count: 3\n", "addresses: [five]\n", "addresses: [seven]\n"];
  const there = edited(edited(EMPTY_LEDGER, { before: three, after: five }), { before: five, after: seven });

  it("lead back to what was written, over as many of them as there were", () => {
    expect(formerTexts(there, seven)).toEqual([five, three]);
    expect(formerTexts(there, five)).toEqual([three]);
  });

  it("lead nowhere from a text that somebody else has touched", () => {
    expect(formerTexts(there, `${seven}# mine\n`)).toEqual([]);
  });

  it("lead back again after a way back and forth", () => {
    const back = edited(there, { before: seven, after: three });
    expect(formerTexts(back, seven)).toEqual([five, three]);
    expect(formerTexts(edited(back, { before: three, after: five }), five)).toContain(three);
  });

  it("are few", () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ before: `${index}`, after: `${index + 1}` }));
    expect(formerTexts(many.reduce(edited, EMPTY_LEDGER), "20")).toHaveLength(8);
  });

  it("are noted once where the same edit is made again after a kill", () => {
    expect(edited(there, { before: five, after: seven })).toEqual(there);
  });

  it("outlive a reset", () => {
    expect(formerTexts(cleared(there), seven)).toEqual([five, three]);
  });
});

it("never has an address leased and in quarantine at once, and never one twice", () => {
  const moves = array(record({ planes: constantFrom(1, 3, 5, 7), workers: integer({ min: 0, max: 3 }) }), {
    maxLength: 8,
  });
  const walk = property(moves, (sizes) => {
    let [now, ledger] = [castle(3, 1), settled(EMPTY_LEDGER, castle(3, 1))];
    for (const { planes, workers } of sizes) {
      const next = castle(planes, workers);
      const gone = now.nodes.filter(({ name }) => next.nodes.every((node) => node.name !== name));
      ledger = settled(evicted(ledger, gone, SINCE), next);
      now = next;
      const held = [...ledger.leases, ...ledger.quarantine].map(({ address }) => address);
      expect(new Set(held).size).toBe(held.length);
      expect(ledger.leases).toHaveLength(next.nodes.length);
    }
  });
  expect(() => assert(walk)).not.toThrow();
});
