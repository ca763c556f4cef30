import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProxmoxConnection } from "../../src/infra/connection.ts";
import { type Hypervisor, startHypervisor } from "../../src/lab/hypervisor/hypervisor.ts";
import type { HypervisorSettings } from "../../src/lab/hypervisor/settings.ts";
import type { MachineConfig, MachineDriver, PowerState } from "../../src/lab/machine/machine.ts";
import { Secret } from "../../src/support/secret.ts";
import { writeFileAtomic } from "../../src/support/write-file.ts";

/** Machines that are only remembered: what Terraform sees of a machine, and nothing behind it. */
export class RememberedMachines implements MachineDriver {
  readonly #power = new Map<number, PowerState>();
  readonly configs = new Map<number, MachineConfig>();
  readonly starts: number[] = [];

  async create(vmid: number): Promise<void> {
    if (!this.#power.has(vmid)) this.#power.set(vmid, "stopped");
  }

  async start(config: MachineConfig): Promise<void> {
    this.#power.set(config.vmid, "running");
    this.configs.set(config.vmid, config);
    this.starts.push(config.vmid);
  }

  async powerOff(vmid: number): Promise<void> {
    this.#power.set(vmid, "stopped");
  }

  async shutdown(vmid: number): Promise<void> {
    this.#power.set(vmid, "stopped");
  }

  async setLink(): Promise<void> {}

  async destroy(vmid: number): Promise<void> {
    this.#power.delete(vmid);
    this.configs.delete(vmid);
  }

  async wipe(): Promise<void> {}

  async state(vmid: number): Promise<PowerState> {
    return this.#power.get(vmid) ?? "stopped";
  }

  onExit(): void {}

  /** VM ids of all machines that exist. */
  get existing(): readonly number[] {
    return [...this.#power.keys()].sort((a, b) => a - b);
  }
}

export interface TestHypervisor {
  readonly hypervisor: Hypervisor;
  readonly machines: RememberedMachines;
  readonly connection: ProxmoxConnection;
  /** A folder of the test's own; goes with `close`. */
  readonly folder: string;
  /** CLI configuration that takes the provider from a file system mirror. */
  readonly cliConfig: string;
  readonly close: () => Promise<void>;
}

const TOKEN = "castle@pve!test=6f1d2c3b-4a59-4687-9c0d-1e2f3a4b5c6d";

/** The lab's hypervisor over remembered machines, and a mirror with the real provider at `provider`. */
export async function startTestHypervisor(
  provider: string,
  change: Partial<HypervisorSettings> = {},
): Promise<TestHypervisor> {
  const folder = await mkdtemp(join(tmpdir(), "castle-infra-"));
  const machines = new RememberedMachines();
  const hosts = ["pve1", "pve2", "pve3"];
  const [id = "", secret = ""] = TOKEN.split("=");
  const hypervisor = await startHypervisor({
    settings: {
      hosts,
      token: { id, secret: new Secret(secret) },
      storages: [
        { name: "local", type: "dir", content: ["import", "iso"] },
        { name: "local-lvm", type: "lvmthin", content: ["images"] },
      ],
      bridges: ["vmbr0"],
      talosVersions: ["v1.11.5", "v1.11.6"],
      ...change,
    },
    stateFolder: join(folder, "hypervisor"),
    driver: machines,
    port: 0,
  });
  return {
    hypervisor,
    machines,
    folder,
    cliConfig: await writeMirror(folder, provider),
    connection: {
      endpoint: hypervisor.endpoint,
      token: new Secret(TOKEN),
      trust: { kind: "certificate", pem: hypervisor.certificate },
      hosts,
      datastore: "local-lvm",
      imageDatastore: "local",
      bridge: "vmbr0",
    },
    close: async () => {
      await hypervisor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeMirror(folder: string, provider: string): Promise<string> {
  const mirror = join(folder, "mirror");
  const place = join(mirror, "registry.terraform.io/bpg/proxmox/0.111.1/linux_amd64");
  await mkdir(place, { recursive: true });
  await symlink(provider, join(place, "terraform-provider-proxmox_v0.111.1"));
  const cliConfig = join(folder, "terraform.rc");
  await writeFileAtomic(
    cliConfig,
    `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
  );
  return cliConfig;
}
