/** What one machine of the tested configuration may differ in. */
export interface MachineSettings {
  readonly name?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly cores?: number;
  /** MiB */
  readonly memory?: number;
  /** GiB */
  readonly disk?: number;
  readonly started?: boolean;
  readonly agent?: boolean;
  /** Without prefix. */
  readonly address?: string;
  readonly mac?: string;
}

export interface ConfigurationSettings {
  readonly endpoint: string;
  readonly host?: string;
  readonly talos?: string;
  readonly machine?: MachineSettings;
}

/** Terraform JSON as a castle's is: image by download and import, static address, no SSH. */
export function configuration(settings: ConfigurationSettings): object {
  const { endpoint, host = "pve1", talos = "v1.11.5", machine = {} } = settings;
  return {
    terraform: { required_providers: { proxmox: { source: "bpg/proxmox", version: "0.111.1" } } },
    provider: { proxmox: { endpoint, insecure: true } },
    resource: {
      proxmox_download_file: {
        talos: {
          node_name: host,
          datastore_id: "local",
          content_type: "import",
          file_name: `talos-${talos}.raw`,
          url: `https://factory.talos.dev/image/0/${talos}/nocloud-amd64.raw.gz`,
          decompression_algorithm: "gz",
          overwrite: false,
        },
      },
      proxmox_virtual_environment_vm: { cp1: virtualMachine(host, machine) },
    },
  };
}

function virtualMachine(host: string, machine: MachineSettings): object {
  return {
    node_name: host,
    vm_id: 211,
    name: machine.name ?? "fortress-cp-1",
    description: machine.description ?? "control plane",
    tags: machine.tags ?? ["castle", "fortress"],
    started: machine.started ?? true,
    on_boot: true,
    stop_on_destroy: true,
    boot_order: ["scsi0"],
    scsi_hardware: "virtio-scsi-single",
    // Without the block the provider asks no agent; a disabled one differs from none after an import, and restarts.
    ...(machine.agent === true ? { agent: [{ enabled: true }] } : {}),
    cpu: [{ cores: machine.cores ?? 2, type: "x86-64-v2-AES" }],
    memory: [{ dedicated: machine.memory ?? 2048 }],
    disk: [
      {
        interface: "scsi0",
        datastore_id: "local-lvm",
        import_from: "${proxmox_download_file.talos.id}",
        size: machine.disk ?? 20,
        discard: "on",
        iothread: true,
      },
    ],
    network_device: [cardSettings(machine.mac ?? "BC:24:11:00:02:11")],
    initialization: [
      {
        datastore_id: "local-lvm",
        dns: [{ servers: ["192.168.1.1"] }],
        ip_config: [
          { ipv4: [{ address: `${machine.address ?? "192.168.1.211"}/24`, gateway: "192.168.1.1" }] },
        ],
      },
    ],
    operating_system: [{ type: "l26" }],
  };
}

/** In Terraform's JSON syntax a card must have all its keys. */
export function cardSettings(mac: string): object {
  return {
    bridge: "vmbr0",
    disconnected: null,
    enabled: null,
    firewall: null,
    mac_address: mac,
    model: "virtio",
    mtu: null,
    queues: null,
    rate_limit: null,
    trunks: null,
    vlan_id: null,
  };
}
