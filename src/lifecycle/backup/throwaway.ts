import { LAB_HOSTS } from "../../spec/defaults.ts";
import { controlPlanes } from "../../spec/control-planes.ts";
import type { Castle, CastleNode } from "../../spec/castle.ts";
import { macAddresses, nodeName, vmId } from "../../spec/identity.ts";

/** A lab's name becomes part of names that the kernel keeps short. */
const LONGEST = 24;

/**
 * The castle that a backup is proved on: one control plane in a lab of its own, with the addresses of the castle that
 * it stands for, because certificates and endpoints name those. One is enough: a snapshot is restored on one control
 * plane, here and in a restore, and the others join it afterwards with what it holds.
 */
export function throwawayOf(castle: Castle): Castle {
  const name = `${castle.name.slice(0, LONGEST).replace(/-+$/, "")}-proof`;
  const [first] = controlPlanes(castle);
  if (first === undefined) throw new Error("a castle has a control plane");
  const { vipWarden: _, ...network } = castle.network;
  return {
    name,
    network,
    nodes: [machineOf(name, first)],
    hypervisor: {
      kind: "lab",
      lab: name,
      hosts: LAB_HOSTS,
      datastore: "local-lvm",
      imageDatastore: "local",
      bridge: "vmbr0",
    },
    // Patches and extensions are for machines that a lab does not have.
    talos: { version: castle.talos.version, patches: [], extensions: [] },
    kubernetes: castle.kubernetes,
    secrets: { kind: "file" },
    sites: [],
  };
}

function machineOf(castle: string, first: CastleNode): CastleNode {
  const name = nodeName(castle, "controlplane", 0);
  return {
    name,
    role: "controlplane",
    address: first.address,
    mac: macAddresses(castle, [name]).get(name) ?? first.mac,
    vmid: vmId(castle, { role: "controlplane", index: 0 }),
    host: LAB_HOSTS[0] ?? "pve1",
    cores: 2,
    memory: 2048,
    disk: 10,
    patches: [],
  };
}
