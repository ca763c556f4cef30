import { EventEmitter, once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Exit } from "../../src/lab/machine/machine.ts";
import { TestLab, record } from "./hypervisor/lab.ts";

let lab: TestLab;

beforeEach(async () => {
  lab = await TestLab.start();
  await lab.machine(100, "pve1", { start: 1 });
});

afterEach(async () => {
  await lab.remove();
});

const machine = () => lab.driver.machines.get(100);

/** Ends the guest, and waits until the hypervisor has dealt with it. */
async function exit(cause: Exit): Promise<void> {
  lab.driver.exit(100, cause);
  // A machine's works follow each other: this change is made after what the exit asks for.
  await lab.call("PUT", "nodes/pve1/qemu/100/config", { description: "later" });
}

describe("a machine that ends by itself", () => {
  it("starts again where it asked for a reboot, with its disks", async () => {
    await exit({ kind: "reboot-requested" });
    expect(machine()).toMatchObject({ power: "running", starts: 2, wipes: 0 });
  });

  it("comes back from a reset with empty disks", async () => {
    await exit({ kind: "reset", reboot: true });
    expect(machine()).toMatchObject({ power: "running", starts: 2, wipes: 1 });
  });

  it("stays off after a reset that asked for no reboot, with empty disks", async () => {
    await exit({ kind: "reset", reboot: false });
    expect(machine()).toMatchObject({ power: "stopped", starts: 1, wipes: 1 });
    expect(await lab.hypervisor.resume()).toEqual(new Map());
    expect(machine()?.power).toBe("stopped");
  });

  it.each<Exit>([
    { kind: "powered-off" },
    { kind: "shut-down" },
    { kind: "crashed", detail: "init ended with exit code 1" },
  ])("stays off after $kind, with its disks", async (cause) => {
    await exit(cause);
    expect(await lab.status(100)).toBe("stopped");
    await lab.hypervisor.resume();
    expect(machine()).toMatchObject({ power: "stopped", starts: 1, wipes: 0 });
  });

  it("is not taken for off by late news of an earlier life", async () => {
    const shutdown = new EventEmitter();
    lab.driver.slowness = once(shutdown, "over");
    await lab.call("POST", "nodes/pve1/qemu/100/status/shutdown");
    await lab.call("POST", "nodes/pve1/qemu/100/status/start");
    lab.driver.exit(100, { kind: "shut-down" });
    shutdown.emit("over");
    await lab.call("PUT", "nodes/pve1/qemu/100/config", { description: "later" });
    expect(machine()).toMatchObject({ power: "running", starts: 2 });
    lab.driver.restartHost();
    await reopen();
    await lab.hypervisor.resume();
    expect(machine()?.power).toBe("running");
  });
});

describe("a restart", () => {
  it("of the daemon changes nothing", async () => {
    const config = async () => (await lab.call("GET", "nodes/pve1/qemu/100/config")).data;
    const before = await config();
    await reopen();
    expect(await config()).toEqual(before);
    expect(await lab.hypervisor.resume()).toEqual(new Map());
    expect(machine()).toMatchObject({ power: "running", starts: 1 });
  });

  it("of the host brings back what was on, and only that", async () => {
    await lab.machine(101, "pve2");
    await lab.machine(102, "pve3", { start: 1 });
    await lab.task("POST", "nodes/pve3/qemu/102/status/stop");
    lab.driver.restartHost();
    await reopen();
    await lab.hypervisor.resume();
    expect(await Promise.all([lab.status(100), lab.status(101, "pve2"), lab.status(102, "pve3")])).toEqual([
      "running",
      "stopped",
      "stopped",
    ]);
    expect(machine()).toMatchObject({ starts: 2, wipes: 0 });
  });

  it("names the machines that it cannot bring back, and tries them again the next time", async () => {
    lab.driver.restartHost();
    await reopen();
    lab.driver.refusals.set("start", "no memory");
    expect(await lab.hypervisor.resume()).toEqual(new Map([[100, "no memory"]]));
    lab.driver.refusals.clear();
    expect(await lab.hypervisor.resume()).toEqual(new Map());
    expect(machine()?.power).toBe("running");
  });

  it("removes what a kill left half-made, so that it can be made again", async () => {
    await edit((state) => {
      for (const vm of list(state["vms"])) vm["lock"] = "create";
    });
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toEqual([]);
    expect(lab.driver.machines.size).toBe(0);
    expect((await lab.call("GET", "nodes/pve1/storage/local-lvm/content")).data).toEqual([]);
    await lab.task("DELETE", "nodes/pve1/storage/local/content/local:import/talos-v1.11.5-100.raw");
    expect(await lab.machine(100)).toBe("OK");
  });

  it("ends the tasks that a kill cut off", async () => {
    await edit((state) => {
      for (const task of list(state["tasks"])) {
        delete task["endTime"];
        delete task["exitStatus"];
      }
    });
    const [task] = list((await lab.call("GET", "nodes/pve1/tasks?vmid=100")).data);
    expect(task).toMatchObject({ status: "stopped", exitstatus: expect.stringContaining("interrupted") });
  });

  it("empties the disks of a machine whose reset a kill cut off", async () => {
    await edit((state) => {
      for (const vm of list(state["vms"])) vm["wipeWanted"] = true;
    });
    lab.driver.exit(100, { kind: "shut-down" });
    await lab.task("POST", "nodes/pve1/qemu/100/status/start");
    expect(machine()).toMatchObject({ power: "running", wipes: 1 });
  });

  it("does not begin on a damaged state file", async () => {
    await lab.close();
    await writeFile(join(lab.folder, "hypervisor.json"), '{"format": 1, "vms": [');
    await expect(lab.open()).rejects.toMatchObject({ code: "hypervisor/state-damaged" });
  });

  it("keeps its certificate", async () => {
    const { certificate } = lab.hypervisor;
    await reopen();
    expect(lab.hypervisor.certificate).toBe(certificate);
  });
});

async function reopen(): Promise<void> {
  await lab.close();
  await lab.open();
}

/** Changes the state file as it would be after a kill, between two daemons. */
async function edit(change: (state: Record<string, unknown>) => void): Promise<void> {
  await lab.close();
  const path = join(lab.folder, "hypervisor.json");
  const state: Record<string, unknown> = { ...record(JSON.parse(await readFile(path, "utf8"))) };
  change(state);
  await writeFile(path, JSON.stringify(state));
  await lab.open();
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value : [];
}
