import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { census, type Leftover } from "../../src/lab/machine/census.ts";
import type { ContainerMachines } from "../../src/lab/machine/container-machines.ts";
import type { Exit } from "../../src/lab/machine/machine.ts";
import { machineNames, runFolder } from "../../src/lab/machine/names.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { vethNames } from "../../src/lab/machine/network.ts";
import { usage } from "../../src/lab/machine/usage.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { machineConfig, type MachineLab, openMachineLab } from "./machine/lab.ts";

const NAME = "t-machine-driver";
let lab: MachineLab;
let machines: ContainerMachines;
let exits: [number, Exit][];

beforeAll(async () => {
  lab = await openMachineLab(NAME);
});
afterAll(async () => {
  await lab.close();
  nothingBut([], await census({ labs: { name: NAME }, states: lab.states }));
});

beforeEach(async () => {
  await openDriver();
});
afterEach(async () => {
  for (const vmid of [211, 212, 213]) await machines.destroy(vmid);
  machines.close();
  const left = await census({ labs: { name: NAME }, states: lab.states });
  // The lab itself is still there: its LAN, its folders, its cgroup.
  nothingBut([{ kind: "namespace", name: lanNamespace(NAME) }, { kind: "state" }, { kind: "cgroup" }], left);
});

function nothingBut(allowed: readonly Readonly<Record<string, string>>[], left: readonly Leftover[]): void {
  const unexpected = left.filter(
    (one) => !allowed.some((like) => Object.entries(like).every((pair) => hasEntry(one, pair))),
  );
  if (unexpected.length > 0) throw new Error(`left behind: ${JSON.stringify(unexpected)}`);
}

function hasEntry(left: Leftover, [key, value]: readonly [string, string]): boolean {
  return Object.entries(left).some(([ownKey, ownValue]) => ownKey === key && ownValue === value);
}

async function openDriver(): Promise<void> {
  exits = [];
  machines = await lab.open();
  machines.onExit((vmid, exit) => exits.push([vmid, exit]));
}

/** Whether the machine's address answers from the LAN: a closed port refuses, a missing machine says nothing. */
async function answers(vmid: number): Promise<boolean> {
  const { stderr } = await run(
    "ip",
    ["netns", "exec", lanNamespace(NAME), "timeout", "1", "bash", "-c", `</dev/tcp/192.168.1.${vmid}/9`],
    { accept: [1, 124] },
  );
  return stderr.includes("refused");
}

function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  return poll(async () => look(), { every: 20, within: 20_000, onTimeout: tookTooLong });
}

function tookTooLong(): Error {
  return new Error("the wait in the test took too long");
}

/** Name, size and times of all files below a folder. */
async function listing(folder: string): Promise<string> {
  return (await run("find", [folder, "-printf", "%P %s %T@ %C@\n"])).stdout;
}

function exited(): Promise<[number, Exit]> {
  return until(() => exits[0]);
}

/** A process of its own that opens the lab and does one thing to machine 211. @returns what kills it */
async function daemon(action: "start" | "power-off" | "destroy", until: "open" | "done") {
  const script = join(import.meta.dirname, "machine/starter.ts");
  const args = ["--import", "tsx", script, NAME, lab.state, lab.rootfs, "211", action];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) if (line === until) break;
  return async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
}

describe.skipIf(!canRunLab)("power", () => {
  test("machines start side by side, answer on their addresses, and a second start changes nothing", async () => {
    await Promise.all([211, 212, 213].map((vmid) => machines.start(machineConfig(vmid))));
    expect(await Promise.all([211, 212, 213].map(answers))).toEqual([true, true, true]);
    const pid = await machines.initPid(211);
    await machines.start(machineConfig(211));
    expect(await machines.initPid(211)).toBe(pid);
    expect((await usage(NAME)).map(({ vmid }) => vmid)).toEqual([211, 212, 213]);
    expect((await usage(NAME)).every(({ memory }) => memory > 0)).toBe(true);
  });

  test("the card has the MAC and address that the hypervisor was told", async () => {
    await machines.start(machineConfig(211));
    const { namespace } = machineNames({ lab: NAME, state: lab.state }, 211);
    const { stdout } = await run("ip", ["-n", namespace, "address", "show", "eth0"]);
    expect(stdout).toContain("bc:24:11:00:00:11");
    expect(stdout).toContain("192.168.1.211/24");
  });

  test("disks survive a power-off, a wipe empties them, and nobody is told of either", async () => {
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211)) === 1 || undefined);
    await machines.powerOff(211);
    await machines.powerOff(211);
    expect(await machines.state(211)).toBe("stopped");
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211)) === 2 || undefined);
    await expect(machines.wipe(211)).rejects.toMatchObject({ code: "machine/running" });
    await machines.powerOff(211);
    await machines.wipe(211);
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211)) === 1 || undefined);
    expect(exits).toEqual([]);
  });

  test("a cut cable silences a machine that goes on, and comes back with its address", async () => {
    await machines.start(machineConfig(211));
    await machines.setLink(211, false);
    expect([await answers(211), await machines.state(211)]).toEqual([false, "running"]);
    await machines.setLink(211, true);
    await until(async () => (await answers(211)) || undefined);
  });

  test("shutdown waits for init; one that does not listen is told on, or has its plug pulled", async () => {
    await machines.start(machineConfig(211));
    // Before its init listens, a machine hears no more of the power button than a real one in its firmware.
    await until(async () => (await lab.boots(211)) === 1 || undefined);
    await machines.shutdown(211, 10_000, false);
    expect(await machines.state(211)).toBe("stopped");
    await machines.start(machineConfig(211));
    await lab.command(211, "stubborn");
    await until(async () => (await lab.boots(211)) === 2 || undefined);
    await expect(machines.shutdown(211, 300, false)).rejects.toMatchObject({
      code: "machine/shutdown-timed-out",
    });
    expect(await machines.state(211)).toBe("running");
    await machines.shutdown(211, 100, true);
    expect(await machines.state(211)).toBe("stopped");
    expect(exits).toEqual([]);
  });

  test("a start that fails leaves nothing, says what the console said, and the next one works", async () => {
    const broken = { ...machineConfig(211), memory: 0.0001 };
    await expect(machines.start(broken)).rejects.toMatchObject({ code: "machine/start-failed" });
    expect(await vethNames(lanNamespace(NAME))).toEqual([]);
    await machines.start(machineConfig(211));
    expect(await machines.state(211)).toBe("running");
    expect(exits).toEqual([]);
  });

  test("without the LAN a start says which command brings it", async () => {
    const elsewhere = await lab.open("t-machine-no-lan");
    try {
      await expect(elsewhere.start(machineConfig(211))).rejects.toMatchObject({
        code: "machine/no-lan",
        hint: "castle lab up",
      });
    } finally {
      elsewhere.close();
    }
  });

  test("the shared root file system is never written to", async () => {
    const before = await listing(lab.rootfs);
    await machines.start(machineConfig(211));
    await machines.powerOff(211);
    expect(await listing(lab.rootfs)).toBe(before);
  });
});

describe.skipIf(!canRunLab)("a machine that ends by itself", () => {
  beforeEach(async () => {
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211).catch(() => 0)) === 1 || undefined);
  });

  test("after a Reset its disks are empty", async () => {
    await lab.command(211, "reset");
    expect(await exited()).toEqual([211, { kind: "reset", reboot: false }]);
    await expect(access(machineNames({ lab: NAME, state: lab.state }, 211).disk)).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  // Closed, the driver looks for itself no more: the end is found by the very next call, as within 200 ms of it.
  test.each(["start", "state"] as const)(
    "a Reset that nobody has seen is told and wiped by %s",
    async (call) => {
      machines.close();
      await lab.command(211, "reset");
      await until(async () => (await machines.initPid(211)) === undefined || undefined);
      const asked = call === "start" ? await machines.start(machineConfig(211)) : await machines.state(211);
      expect(asked).toBe(call === "start" ? undefined : "stopped");
      expect(exits).toEqual([[211, { kind: "reset", reboot: false }]]);
      if (call === "state") await machines.start(machineConfig(211));
      // An empty disk counts from the beginning.
      await until(async () => (await lab.boots(211).catch(() => 0)) === 1 || undefined);
      expect(exits).toHaveLength(1);
    },
  );

  test("after a reboot its disks are kept", async () => {
    await lab.command(211, "reboot");
    expect(await exited()).toEqual([211, { kind: "reboot-requested" }]);
    expect(await lab.boots(211)).toBe(1);
  });

  test("after a crash the hypervisor tells the code and the last words, once", async () => {
    await lab.command(211, "crash");
    expect(await exited()).toEqual([
      211,
      { kind: "crashed", detail: expect.stringMatching(/exit code 3.*panic: no more/) },
    ]);
    // The watch looks five times a second: several more looks have nothing to add.
    await delay(1000);
    expect(exits).toHaveLength(1);
    expect(await vethNames(lanNamespace(NAME))).toEqual([]);
  });
});

describe.skipIf(!canRunLab)("a daemon that is killed", () => {
  beforeEach(() => machines.close());

  test("leaves its machines running; the next one finds them and learns of their end", async () => {
    const kill = await daemon("start", "done");
    await kill();
    await openDriver();
    expect(await machines.state(211)).toBe("running");
    await lab.command(211, "crash");
    expect(await exited()).toMatchObject([211, { kind: "crashed" }]);
  });

  test("is not needed for the cables to go when a machine ends, and the next one is told why", async () => {
    const kill = await daemon("start", "done");
    await kill();
    await lab.command(211, "reset");
    await until(async () => (await vethNames(lanNamespace(NAME))).length === 0 || undefined);
    await openDriver();
    expect(await exited()).toEqual([211, { kind: "reset", reboot: false }]);
  });

  test.each([0, 5, 10, 20, 30, 40, 60, 80, 100])(
    "%i ms into a start: the same call finishes it",
    async (ms) => {
      const kill = await daemon("start", "open");
      await delay(ms);
      await kill();
      await openDriver();
      await machines.start(machineConfig(211));
      expect([await machines.state(211), await answers(211)]).toEqual(["running", true]);
      expect(await vethNames(lanNamespace(NAME))).toEqual(["vm211n0"]);
      expect(exits).toEqual([]);
    },
  );
});

describe.skipIf(!canRunLab)("a daemon that is killed while it ends a machine", () => {
  test.each([0, 3, 6, 10, 15, 20, 30, 50])(
    "%i ms into it: the same call finishes, nobody is told",
    async (ms) => {
      for (const action of ["power-off", "destroy"] as const) {
        await machines.start(machineConfig(211));
        machines.close();
        const kill = await daemon(action, "open");
        await delay(ms);
        await kill();
        await openDriver();
        await machines[action === "destroy" ? "destroy" : "powerOff"](211);
        expect(await machines.state(211)).toBe("stopped");
        expect(await vethNames(lanNamespace(NAME))).toEqual([]);
        expect(exits).toEqual([]);
      }
    },
  );
});

test.skipIf(!canRunLab)(
  "after a restart of the host a start makes all anew from config and disks, and no exit is told",
  async () => {
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211).catch(() => 0)) === 1 || undefined);
    machines.close();
    const names = machineNames({ lab: NAME, state: lab.state }, 211);
    const supervisor = Number(await readFile(join(names.boot, "supervisor.pid"), "utf8"));
    process.kill(supervisor, "SIGKILL");
    process.kill((await machines.initPid(211)) ?? 0, "SIGKILL");
    // The restart comes before anybody looks.
    await until(async () => ((await machines.initPid(211)) === undefined ? true : undefined));
    await run("ip", ["netns", "delete", names.namespace]);
    await rm(runFolder(NAME), { recursive: true });
    await openDriver();
    expect(await machines.state(211)).toBe("stopped");
    await machines.start(machineConfig(211));
    await until(async () => (await lab.boots(211)) === 2 || undefined);
    expect(exits).toEqual([]);
  },
);
