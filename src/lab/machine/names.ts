import { join } from "node:path";

/** Where one lab's machines live; everything that a lab makes on its host is named after the lab. */
export interface LabPlace {
  /** Name of the lab: lower-case letters, digits, hyphens. */
  readonly lab: string;
  /** The lab's own folder; `machines/VMID` under it holds a machine's disks and console. Survives a restart. */
  readonly state: string;
}

export interface MachineNames {
  /** runc's id of the container, within the lab's own runc root. */
  readonly container: string;
  /** Network namespace, as `ip netns` names it. */
  readonly namespace: string;
  /** Path below each cgroup hierarchy's root. */
  readonly cgroup: string;
  readonly home: string;
  /** The machine's disks, one folder for each place that keeps its content over a power-off. */
  readonly disk: string;
  /** Everything that only one boot needs; made new at each start. */
  readonly boot: string;
  readonly console: string;
  /** Present from the start until the machine's end has been dealt with. */
  readonly poweredOn: string;
  /** Present while the hypervisor itself is ending the machine. */
  readonly pullingPlug: string;
}

/** What a restart of the host takes away: runc's records of the running containers. */
export function runFolder(lab: string): string {
  return `/run/castle/${lab}`;
}

export function runcRoot(lab: string): string {
  return join(runFolder(lab), "runc");
}

export function labCgroup(lab: string): string {
  return `/castle/${lab}`;
}

export function machinesFolder(state: string): string {
  return join(state, "machines");
}

/** The switch's end of a machine's network cable, inside the LAN namespace. At most 15 characters. */
export function cableName(vmid: number, card: number): string {
  return `vm${vmid}n${card}`;
}

export function machineNames(place: LabPlace, vmid: number): MachineNames {
  const home = join(machinesFolder(place.state), String(vmid));
  return {
    container: String(vmid),
    namespace: `castle-${place.lab}-${vmid}`,
    cgroup: `${labCgroup(place.lab)}/${vmid}`,
    home,
    disk: join(home, "disk"),
    boot: join(home, "boot"),
    console: join(home, "console.log"),
    poweredOn: join(home, "powered-on"),
    pullingPlug: join(home, "pulling-plug"),
  };
}
