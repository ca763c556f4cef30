import { expect, test } from "vitest";
import { formatFaults } from "./fault-text.ts";
import { parseSpec } from "./parse.ts";

function told(text: string): string {
  const parsed = parseSpec(text, "castle.yaml");
  return "faults" in parsed ? formatFaults(parsed.faults, text) : "";
}

test("a fault shows its line, a caret under the place and what would be right", () => {
  expect(told("castle: fortress\nhypervisor: lab\nnetwork: { vip: 192.168.1.212 }\n")).toBe(
    `castle.yaml:3:17: network.vip is 192.168.1.212, the address of control plane 2
  3 | network: { vip: 192.168.1.212 }
    |                 ^
  this castle uses nothing from 192.168.1.216 on

1 fault`,
  );
});

test("an empty file has no line to show", () => {
  expect(told("")).toBe("castle.yaml:1:1: the file is empty\n  castle init writes one\n\n1 fault");
});

test("a password in an address is told to nobody", () => {
  const text =
    "castle: fortress\nhypervisor: { proxmox: { endpoint: 'https://root:hunter2@pve.lan', node: pve } }\n";
  expect(told(text)).toContain("https://***@pve.lan");
  expect(told(text)).not.toContain("hunter2");
});
