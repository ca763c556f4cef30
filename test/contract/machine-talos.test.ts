import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import type { ContainerMachines } from "../../src/lab/machine/container-machines.ts";
import type { Exit } from "../../src/lab/machine/machine.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab, part } from "../fixtures/parts.ts";
import { machineConfig, type MachineLab, openMachineLab } from "./machine/lab.ts";

const NAME = "t-machine-talos";
const rootfs = await part("node-rootfs");
const talosctl = await part("talosctl");

function wait<T>(look: () => Promise<T | undefined>, failure: string): Promise<T> {
  return poll(look, { every: 100, within: 60_000, onTimeout: () => new Error(failure) });
}

// What the driver believes of Talos, on a real node: how it boots, keeps its disks and ends.
describe.skipIf(!canRunLab)("a Talos node in a container", () => {
  let lab: MachineLab;
  let machines: ContainerMachines;
  let folder: string;
  let exits: Exit[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-talos-"));
    lab = await openMachineLab(NAME, rootfs);
    const patch = JSON.stringify({
      machine: { time: { disabled: true } },
      cluster: { discovery: { enabled: false } },
    });
    await run(talosctl, [
      "gen",
      "config",
      "t",
      "https://192.168.1.210:6443",
      "-o",
      folder,
      "--config-patch",
      patch,
    ]);
  });
  afterAll(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
    const left = await census({ labs: { name: NAME }, states: lab.states });
    if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
  });
  beforeEach(async () => {
    exits = [];
    machines = await lab.open();
    machines.onExit((_, exit) => exits.push(exit));
    await machines.start(machineConfig(211, 2048));
  });
  afterEach(async () => {
    await machines.destroy(211);
    machines.close();
  });

  /** @returns undefined while the node does not answer, or refuses */
  async function ask(...args: readonly string[]): Promise<string | undefined> {
    const inLan = [
      "netns",
      "exec",
      lanNamespace(NAME),
      talosctl,
      "-n",
      "192.168.1.211",
      "-e",
      "192.168.1.211",
    ];
    const { exitCode, stdout } = await run("ip", [...inLan, ...args], {
      accept: [1],
      env: { TALOSCONFIG: join(folder, "talosconfig") },
    });
    return exitCode === 0 ? stdout : undefined;
  }

  function answer(...args: readonly string[]): Promise<string> {
    return wait(() => ask(...args), `no answer to ${args.join(" ")}`);
  }

  async function configure(): Promise<void> {
    await answer("apply-config", "--insecure", "-f", join(folder, "controlplane.yaml"));
    await answer("version");
  }

  test("boots into maintenance mode with the card that the hypervisor was told", async () => {
    expect(await answer("get", "links", "--insecure")).toContain("bc:24:11:00:00:11");
    expect(await answer("get", "hostname", "--insecure")).toContain("node211");
  });

  test("keeps its config over a power-off", async () => {
    await configure();
    await machines.powerOff(211);
    await machines.start(machineConfig(211, 2048));
    expect(await answer("version")).toContain("Server:");
    expect(exits).toEqual([]);
  });

  test("shuts down when asked", async () => {
    await answer("get", "links", "--insecure");
    await machines.shutdown(211, 30_000, false);
    expect([await machines.state(211), exits]).toEqual(["stopped", []]);
  });

  test("comes back from a Reset with empty disks", async () => {
    await configure();
    await answer("reset", "--graceful=false", "--reboot", "--wait=false");
    expect(await wait(async () => exits[0], "no exit")).toEqual({ kind: "reset", reboot: false });
    await machines.start(machineConfig(211, 2048));
    expect(await answer("get", "links", "--insecure")).toContain("eth0");
  });

  test("asks for a reboot when a config is applied that way", async () => {
    await configure();
    await answer("apply-config", "--mode=reboot", "-f", join(folder, "controlplane.yaml"));
    expect(await wait(async () => exits[0], "no exit")).toEqual({ kind: "reboot-requested" });
  });
});
