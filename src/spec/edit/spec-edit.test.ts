import { assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import type { Castle } from "../castle.ts";
import { parseSpec } from "../parse.ts";
import { renderTemplate } from "../template.ts";
import { layoutOf, scaledLayout, shiftedLayout } from "./layout.ts";
import { lineDifference } from "./line-difference.ts";
import { editLayout, smallestEdit } from "./spec-edit.ts";

function castleOf(text: string): Castle {
  const parsed = parseSpec(text, "castle.yaml");
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("; "));
  return parsed.castle;
}

function scaled(
  text: string,
  counts: { controlPlanes?: number; workers?: number },
  avoid: string[] = [],
): string {
  const layout = scaledLayout(castleOf(text), counts, avoid);
  if (layout === undefined) throw new Error("no layout");
  return editLayout(text, "castle.yaml", layout).text;
}

function shifted(text: string, to: string, pool?: string): string {
  return editLayout(text, "castle.yaml", shiftedLayout(castleOf(text), to, pool)).text;
}

const changed = (before: string, after: string) => lineDifference(before, after);
const shortest = "castle: fortress\nhypervisor: lab\n";

describe("scale", () => {
  it("changes the count alone where the next addresses are free", () => {
    const text = renderTemplate("fortress", "lab");
    expect(changed(text, scaled(text, { workers: 4 }))).toEqual(["-     count: 2", "+     count: 4"]);
    expect(changed(text, scaled(text, { workers: 1 }))).toEqual(["-     count: 2", "+     count: 1"]);
    expect(changed(text, scaled(text, { controlPlanes: 1 }))).toEqual(["-     count: 3", "+     count: 1"]);
  });

  it("moves nobody who stands: control planes go round the workers", () => {
    const after = castleOf(scaled(shortest, { controlPlanes: 5 }));
    expect(layoutOf(after)).toMatchObject({
      controlPlanes: [211, 212, 213, 216, 217].map((last) => `192.168.1.${last}`),
      workers: ["192.168.1.214", "192.168.1.215"],
    });
  });

  it("leads back to what was written, also beside another change", () => {
    const written = `${shortest}nodes:\n  controlPlanes: { count: 3, cores: 2 } # odd\n  workers: { count: 2 }\n`;
    const five = scaled(written, { controlPlanes: 5 });
    const back = (counts: { controlPlanes: number; workers?: number }) => {
      const layout = scaledLayout(castleOf(five), counts, []);
      if (layout === undefined) throw new Error("no layout");
      return smallestEdit({ text: five, former: [written] }, "castle.yaml", layout).text;
    };
    expect(five).toContain("addresses:");
    expect(back({ controlPlanes: 3 })).toBe(written);
    expect(back({ controlPlanes: 5 })).toBe(five);
    expect(back({ controlPlanes: 3, workers: 1 })).toBe(
      written.replace("workers: { count: 2 }", "workers: { count: 1 }"),
    );
  });

  it("goes round an address in quarantine", () => {
    const after = castleOf(scaled(shortest, { workers: 3 }, ["192.168.1.216"]));
    expect(layoutOf(after).workers).toEqual(["192.168.1.214", "192.168.1.215", "192.168.1.217"]);
  });

  it("does not make an even number of control planes", () => {
    expect(() => scaled(shortest, { controlPlanes: 2 })).toThrow(/expected an odd number/);
  });

  it("to no workers and back", () => {
    const text = `${shortest}nodes: { workers: { addresses: [192.168.1.219] } }\n`;
    const none = scaled(text, { workers: 0 });
    expect(none).toBe(`${shortest}nodes: { workers: { count: 0 } }\n`);
    expect(layoutOf(castleOf(scaled(none, { workers: 2 }))).workers).toHaveLength(2);
  });
});

describe("shift", () => {
  it("moves VIP, nodes and pool by the same offset", () => {
    const text = `${shortest}gitops: {}\n`;
    const after = castleOf(shifted(text, "192.168.1.221", "192.168.1.240-192.168.1.249"));
    expect(layoutOf(after)).toEqual({
      vip: "192.168.1.220",
      controlPlanes: ["192.168.1.221", "192.168.1.222", "192.168.1.223"],
      workers: ["192.168.1.224", "192.168.1.225"],
      pool: "192.168.1.240-192.168.1.249",
    });
  });

  it("changes three lines of the file that castle init writes", () => {
    const text = renderTemplate("fortress", "proxmox");
    expect(changed(text, shifted(text, "192.168.1.111"))).toEqual([
      "-   vip: 192.168.1.210",
      "+   vip: 192.168.1.110",
      "-     from: 192.168.1.211 # .211, .212, .213; or a list: addresses: [192.168.1.211, …]",
      "+     from: 192.168.1.111 # .211, .212, .213; or a list: addresses: [192.168.1.211, …]",
      "-     from: 192.168.1.214",
      "+     from: 192.168.1.114",
    ]);
  });

  it("tells what would be wrong with the new addresses", () => {
    expect(() => shifted(shortest, "192.168.1.2")).toThrow(/192\.168\.1\.1/);
    expect(() => shifted(shortest, "192.168.2.11")).toThrow(/does not hold network.vip/);
  });
});

describe("any numbers", () => {
  const specs = [
    shortest,
    renderTemplate("fortress", "lab"),
    renderTemplate("fortress", "proxmox"),
    `${shortest}gitops: {}\nnodes:\n  controlPlanes: { addresses: [192.168.1.3, 192.168.1.9, 192.168.1.20] }\n  workers: { count: 3 }\n`,
  ];

  it("keep everybody's address, name, MAC and VM id", () => {
    const numbers = record({
      text: constantFrom(...specs),
      controlPlanes: constantFrom(1, 3, 5, 7),
      workers: integer({ min: 0, max: 9 }),
    });
    const kept = property(numbers, ({ text, controlPlanes, workers }) => {
      const before = castleOf(text);
      const after = castleOf(scaled(text, { controlPlanes, workers }));
      expect(after.nodes.filter(({ role }) => role === "worker")).toHaveLength(workers);
      expect(after.nodes).toHaveLength(workers + controlPlanes);
      const stayed = new Set(after.nodes.map(({ name }) => name));
      expect(after.nodes).toEqual(
        expect.arrayContaining(before.nodes.filter(({ name }) => stayed.has(name))),
      );
      const { network, nodes: _nodes, ...rest } = after;
      expect({ ...rest, cidr: network.cidr, vip: network.vip }).toEqual(restOf(before));
    });
    expect(() => assert(kept, { numRuns: 60 })).not.toThrow();
  });
});

function restOf({ network, nodes: _nodes, ...rest }: Castle) {
  return { ...rest, cidr: network.cidr, vip: network.vip };
}
