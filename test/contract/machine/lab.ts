import { copyFile, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { labFolders } from "../../../src/lab/folders.ts";
import { raiseSysctls, restoreSysctls } from "../../../src/lab/lan/sysctls.ts";
import { ContainerMachines } from "../../../src/lab/machine/container-machines.ts";
import type { MachineConfig } from "../../../src/lab/machine/machine.ts";
import { machineNames } from "../../../src/lab/machine/names.ts";
import { lanNamespace } from "../../../src/lab/namespaces.ts";
import { sweep } from "../../../src/lab/machine/sweep.ts";
import { run } from "../../../src/support/run.ts";
import { part } from "../../fixtures/parts.ts";

/** A LAN and a driver with no hypervisor above them. */
export interface MachineLab {
  readonly name: string;
  readonly states: string;
  readonly state: string;
  readonly rootfs: string;
  /** The driver of this lab, or of another one whose LAN was never made. */
  open(lab?: string): Promise<ContainerMachines>;
  /** Tells a machine's init what to do, through its disk. */
  command(vmid: number, word: "reset" | "reboot" | "crash" | "stubborn"): Promise<void>;
  /** How often its init has run on this disk. */
  boots(vmid: number): Promise<number>;
  close(): Promise<void>;
}

/** @param talos root file system of a real node; without it the machines run `init.c` */
export async function openMachineLab(name: string, talos?: string): Promise<MachineLab> {
  const folder = await mkdtemp(join(tmpdir(), `castle-${name}-`));
  const rootfs = talos ?? join(folder, "rootfs");
  const states = join(folder, "states");
  const state = join(states, name);
  const runc = await part("runc");
  const disk = (vmid: number) => join(machineNames({ lab: name, state }, vmid).disk, "var");
  if (talos === undefined) await buildRootfs(rootfs);
  const lan = lanNamespace(name);
  await run("ip", ["netns", "add", lan]);
  const lines = ["link add vmbr0 type bridge", "address add 192.168.1.1/24 dev vmbr0", "link set vmbr0 up"];
  await run("ip", ["-n", lan, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  // A kubelet changes settings of the whole machine.
  const guarded = { state, shared: labFolders(states, name).sharedRun };
  await mkdir(state, { recursive: true });
  await raiseSysctls(guarded);
  return {
    name,
    states,
    state,
    rootfs,
    open: (other = name) =>
      ContainerMachines.open({ lab: other, state: join(states, other) }, { rootfs, runc }),
    command: (vmid, word) => writeFile(join(disk(vmid), "command"), word),
    boots: async (vmid) => {
      const text = await readFile(join(disk(vmid), "boots"), "utf8").catch(() => "");
      return text.split("\n").length - 1;
    },
    close: async () => {
      await sweep({ lab: name, states, state: "keep" });
      await restoreSysctls(guarded);
      await sweep({ lab: name, states, state: "remove" });
      await rmdir(guarded.shared).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function machineConfig(vmid: number, memory = 256): MachineConfig {
  return {
    vmid,
    name: `node${vmid}`,
    cards: [
      {
        mac: `bc:24:11:00:00:${vmid % 100}`,
        bridge: "vmbr0",
        address: `192.168.1.${vmid}/24`,
        gateway: "192.168.1.1",
      },
    ],
    cores: 2,
    memory,
    image: "v1.11.5",
    nameservers: ["192.168.1.1"],
  };
}

/** The init, and for hosts that lack CAP_SYS_RESOURCE the shell and mount that its wrapper runs. */
async function buildRootfs(rootfs: string): Promise<void> {
  await mkdir(join(rootfs, "usr/sbin"), { recursive: true });
  await mkdir(join(rootfs, "opt/cni/bin"), { recursive: true });
  const source = join(import.meta.dirname, "init.c");
  await run("gcc", ["-static", "-O1", "-o", join(rootfs, "usr/sbin/init"), source]);
  for (const program of ["/bin/sh", "/usr/bin/mount"]) {
    const { stdout } = await run("ldd", [program]);
    const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
    for (const file of [program, ...libraries]) {
      await mkdir(join(rootfs, dirname(file)), { recursive: true });
      await copyFile(file, join(rootfs, file));
    }
  }
}
