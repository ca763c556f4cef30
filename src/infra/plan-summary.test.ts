import { describe, expect, it } from "vitest";
import { summarize } from "./plan-summary.ts";

const VM = "proxmox_virtual_environment_vm";

function machine(name: string, change: Record<string, unknown>, role = "controlplane"): object {
  const before = { name, vm_id: 100, node_name: "pve1", tags: ["castle", role], memory: [{ dedicated: 1 }] };
  return {
    address: `${VM}.${name}`,
    type: VM,
    change: { before, after: before, after_unknown: {}, ...change },
  };
}

function plan(...changes: object[]): string {
  return JSON.stringify({ format_version: "1.2", resource_changes: changes });
}

describe("summarize", () => {
  it("calls a plan without changes clean", () => {
    const summary = summarize(plan(machine("cp-1", { actions: ["no-op"] })));
    expect(summary).toMatchObject({ clean: true, updates: [], creates: [] });
  });

  it("names the changed attributes and whether they restart the machine", () => {
    const after = {
      name: "cp-1",
      vm_id: 100,
      node_name: "pve1",
      tags: ["castle", "controlplane"],
      memory: [],
    };
    const { updates } = summarize(plan(machine("cp-1", { actions: ["update"], after })));
    expect(updates).toEqual([
      {
        address: `${VM}.cp-1`,
        title: "machine cp-1",
        attributes: ["memory"],
        restarts: true,
        machine: { name: "cp-1", vmid: 100, host: "pve1" },
      },
    ]);
  });

  it("does not take a change of tags for a restart", () => {
    const after = { name: "cp-1", vm_id: 100, node_name: "pve1", tags: ["x"], memory: [{ dedicated: 1 }] };
    const { updates } = summarize(plan(machine("cp-1", { actions: ["update"], after })));
    expect(updates[0]).toMatchObject({ attributes: ["tags"], restarts: false });
  });

  it.each([
    [["delete"], "destroy cp-1"],
    [["delete", "create"], "replace cp-1"],
    [["create", "delete"], "replace cp-1"],
  ])("refuses %j of a control plane", (actions, words) => {
    const after = actions.includes("create") ? { vm_id: 101 } : null;
    expect(summarize(plan(machine("cp-1", { actions, after }))).refusal).toContain(words);
  });

  it("names what forces a replacement, not all that is unknown of the new machine", () => {
    const change = {
      actions: ["delete", "create"],
      after: { name: "cp-1", vm_id: 100, node_name: "pve2" },
      after_unknown: { id: true, mac_addresses: true },
      replace_paths: [["node_name"]],
    };
    expect(summarize(plan(machine("cp-1", change))).refusal).toContain("replace cp-1 (node_name):");
  });

  it("lets a worker go", () => {
    const summary = summarize(plan(machine("worker-1", { actions: ["delete"], after: null }, "worker")));
    expect(summary.refusal).toBeUndefined();
    expect(summary.destroys).toHaveLength(1);
  });

  it("tells adoptions, which are not clean", () => {
    const summary = summarize(plan(machine("cp-1", { actions: ["no-op"], importing: { id: "pve1/100" } })));
    expect(summary).toMatchObject({ clean: false, updates: [] });
    expect(summary.adopts).toHaveLength(1);
  });
});
