import type { Castle, CastleNode } from "../spec/castle.ts";
import { imageAddress } from "./address.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { machineTags } from "./ownership.ts";

const GUEST_AGENT = "siderolabs/qemu-guest-agent";

/** One machine as the provider's resource `proxmox_virtual_environment_vm` wants it. */
export function virtualMachine(
  castle: Castle,
  node: CastleNode,
  connection: ProxmoxConnection,
): Readonly<Record<string, unknown>> {
  const { network } = castle;
  return {
    name: node.name,
    vm_id: node.vmid,
    node_name: node.host,
    tags: machineTags(castle.name, node),
    description: `${node.role} of the castle ${castle.name}, managed by castle`,
    on_boot: true,
    started: true,
    // A machine that is being thrown away needs no farewell; its etcd membership has been ended before.
    stop_on_destroy: true,
    operating_system: { type: "l26" },
    // Nobody waits for an address: the extension starts only once castle has configured the machine, after Terraform.
    // No block where there is no agent: for a disabled one the provider reads nothing back when a machine is adopted,
    // sees a difference and restarts it.
    ...(hasGuestAgent(castle) ? { agent: { enabled: true, wait_for_ip: { disabled: true } } } : {}),
    // Talos needs x86-64-v2; the provider's own default, qemu64, lacks it.
    cpu: { cores: node.cores, sockets: 1, type: "x86-64-v2-AES" },
    // Without a balloon: kubelet's reckoning and etcd's latency do not survive memory that goes away.
    memory: { dedicated: node.memory, floating: 0 },
    scsi_hardware: "virtio-scsi-pci",
    boot_order: ["scsi0"],
    disk: {
      interface: "scsi0",
      datastore_id: connection.datastore,
      import_from: `\${${imageAddress(node.host)}.id}`,
      size: node.disk,
      discard: "on",
      iothread: false,
      ssd: true,
    },
    network_device: [networkCard(node.mac, connection.bridge, network.vlan)],
    initialization: {
      datastore_id: connection.datastore,
      interface: "ide2",
      dns: { servers: network.dns },
      ip_config: { ipv4: { address: `${node.address}/${network.prefix}`, gateway: network.gateway } },
    },
    lifecycle: { ignore_changes: ignoredChanges(castle) },
  };
}

/** What a machine is made with and never compared again. */
function ignoredChanges(castle: Castle): readonly string[] {
  // Proxmox forgets where a disk came from, and a new Talos version must upgrade machines, not import disks again.
  const disk = "disk[0].import_from";
  // Exists in the state only, so an adopted machine lacks it; any difference in the agent restarts a machine.
  return hasGuestAgent(castle) ? [disk, "agent[0].wait_for_ip"] : [disk];
}

function hasGuestAgent(castle: Castle): boolean {
  return castle.talos.extensions.includes(GUEST_AGENT);
}

/** In JSON this is an attribute and not a block, so each of its keys must be there, null where unset. */
function networkCard(mac: string, bridge: string, vlan: number | undefined): Record<string, unknown> {
  return {
    bridge,
    disconnected: null,
    enabled: null,
    firewall: null,
    mac_address: mac,
    model: "virtio",
    mtu: null,
    queues: null,
    rate_limit: null,
    trunks: null,
    vlan_id: vlan ?? null,
  };
}
