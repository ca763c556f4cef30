import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseSpec } from "./parse.ts";

const folder = new URL("../../test/fixtures/spec/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const MARK = "# expect: ";

/** What a fixture expects stands behind it: `# expect: LINE:COLUMN MESSAGE | HINT`, one line a fault. */
function read(name: string) {
  const lines = readFileSync(new URL(name, folder), "utf8").split("\n");
  return {
    text: lines.filter((line) => !line.startsWith(MARK)).join("\n"),
    expected: lines.filter((line) => line.startsWith(MARK)).map((line) => line.slice(MARK.length)),
  };
}

describe("faulty specs", () => {
  test("there are enough of them", () => {
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  test.each(names)("%s", (name) => {
    const { text, expected } = read(name);
    const parsed = parseSpec(text, name);
    const faults = "faults" in parsed ? parsed.faults : [];
    const found = faults.map(
      ({ line, column, message, hint }) =>
        `${line}:${column} ${message}${hint === undefined ? "" : ` | ${hint}`}`,
    );
    expect(expected).not.toEqual([]);
    expect(found).toEqual(expected);
    expect(faults.every(({ file }) => file === name)).toBe(true);
  });
});

const faultsOf = (text: string) => {
  const parsed = parseSpec(text, "castle.yaml");
  return "faults" in parsed ? parsed.faults.map(({ path }) => path) : [];
};

const workersOf = (text: string) => {
  const parsed = parseSpec(text, "castle.yaml");
  return "castle" in parsed ? parsed.castle.nodes.filter(({ role }) => role === "worker").length : undefined;
};

describe("what the author could mean", () => {
  test("a patch that moves the pods makes their usual network free", () => {
    const text = "castle: fortress\nhypervisor: lab\nnetwork: { cidr: 10.244.0.0/24 }\n";
    const patch = 'talos: { patches: [{ cluster: { network: { podSubnets: ["172.20.0.0/16"] } } }] }\n';
    expect(faultsOf(text)).toEqual(["network.cidr"]);
    expect(faultsOf(text + patch)).toEqual([]);
  });

  test("anchors and aliases are read", () => {
    const text = `castle: fortress
hypervisor: lab
nodes:
  controlPlanes: { memory: &memory 3GiB }
  workers: { memory: *memory }
`;
    const parsed = parseSpec(text, "castle.yaml");
    expect("castle" in parsed && parsed.castle.nodes.map(({ memory }) => memory)).toEqual([
      3072, 3072, 3072, 3072, 3072,
    ]);
  });

  test("an alias inside of its own anchor is a fault, not an endless loop", () => {
    expect(faultsOf("castle: fortress\nhypervisor: lab\ntalos: &t\n  patches: [*t]\n")).toHaveLength(1);
  });

  test("a rack without workers has none; the lab has two", () => {
    const rack = `castle: fortress
hypervisor: { proxmox: { endpoint: "https://pve.lan:8006", node: pve } }
network: { cidr: 192.168.1.0/24, gateway: 192.168.1.1, vip: 192.168.1.210 }
nodes: { controlPlanes: { count: 3, from: 192.168.1.211 } }
`;
    expect(workersOf(rack)).toBe(0);
    expect(workersOf("castle: fortress\nhypervisor: lab\n")).toBe(2);
  });
});
