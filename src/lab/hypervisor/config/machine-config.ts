import type { MachineConfig, NetworkCard } from "../../machine/machine.ts";
import type { VmRecord, VolumeRecord } from "../inventory/record.ts";
import { findVolume } from "../inventory/volumes.ts";
import { isDiskSlot } from "./disk.ts";
import { parseCard, parseCardAddress } from "./network-card.ts";
import { parseProperties } from "./property-string.ts";

const DEFAULT_MEMORY = 512;

/**
 * The machine that a configuration describes. Address, gateway and MAC come from netN and ipconfigN and from
 * nowhere else.
 * @throws RangeError where no bootable disk holds a Talos image.
 */
export function machineConfig(vm: VmRecord, volumes: readonly VolumeRecord[]): MachineConfig {
  const { options } = vm;
  const image = bootImage(vm, volumes);
  if (image === undefined) {
    throw new RangeError(
      `VM ${vm.vmid} has no bootable disk with a Talos image: import one (import-from) or attach an ISO`,
    );
  }
  return {
    vmid: vm.vmid,
    name: vmName(vm),
    cards: cards(options),
    cores: Number(options["cores"] ?? 1) * Number(options["sockets"] ?? 1),
    memory: vmMemory(vm),
    image,
    nameservers: (options["nameserver"] ?? "").split(/[\s,;]+/).filter((address) => address !== ""),
  };
}

export function vmName({ vmid, options }: VmRecord): string {
  return options["name"] ?? `VM${vmid}`;
}

/** MiB */
export function vmMemory({ options }: VmRecord): number {
  return Number(options["memory"] ?? DEFAULT_MEMORY);
}

/** Cards in the order of their numbers, which need not be the order in which they were sent. */
export function cards(options: Readonly<Record<string, string>>): readonly NetworkCard[] {
  return Object.keys(options)
    .filter((key) => /^net\d+$/.test(key))
    .map((key) => Number(key.slice(3)))
    .sort((a, b) => a - b)
    .map((index) => {
      const { mac, bridge } = parseCard(options[`net${index}`] ?? "", () => "");
      return { mac, bridge, ...parseCardAddress(options[`ipconfig${index}`] ?? "") };
    });
}

/** True while any card of the machine has its cable in; a machine without cards counts as connected. */
export function linkUp({ options }: VmRecord): boolean {
  const all = Object.keys(options).filter((key) => /^net\d+$/.test(key));
  return all.length === 0 || all.some((key) => !parseCard(options[key] ?? "", () => "").linkDown);
}

/** Talos version of the first disk or CD in boot order that holds an image. */
function bootImage({ host, options }: VmRecord, volumes: readonly VolumeRecord[]): string | undefined {
  for (const slot of bootOrder(options)) {
    const [volid = ""] = (options[slot] ?? "").split(",");
    const talos = findVolume(volumes, host, volid)?.talos;
    if (talos !== undefined) return talos;
  }
  return undefined;
}

function bootOrder(options: Readonly<Record<string, string>>): readonly string[] {
  const order = parseProperties(options["boot"] ?? "", "legacy").get("order");
  if (order !== undefined && order !== "") return order.split(";");
  return Object.keys(options)
    .filter((key) => isDiskSlot(key))
    .sort();
}
