import { access, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { ProxmoxConnection } from "../../src/infra/connection.ts";
import { Terraform } from "../../src/infra/terraform.ts";
import { locateTerraform } from "../../src/infra/terraform-program.ts";
import type { StepEvent } from "../../src/journal/step.ts";
import type { HypervisorSettings } from "../../src/lab/hypervisor/settings.ts";
import type { Castle } from "../../src/spec/castle.ts";
import { writeFileAtomic } from "../../src/support/write-file.ts";
import { TestLab } from "./hypervisor/lab.ts";

/** The lab's hypervisor over machines in memory, and the real provider in a file system mirror beside it. */
export interface Rack {
  readonly lab: TestLab;
  readonly connection: ProxmoxConnection;
  /** Where Terraform works. */
  readonly directory: string;
  readonly events: StepEvent[];
  readonly terraform: (castle: Castle, connection?: ProxmoxConnection) => Terraform;
}

export async function startRack(provider: string, settings: Partial<HypervisorSettings> = {}): Promise<Rack> {
  const lab = await TestLab.start({ talosVersions: ["v1.11.5", "v1.11.6"], ...settings });
  const directory = join(lab.folder, "state", "terraform");
  const { connection } = lab;
  const events: StepEvent[] = [];
  const cliConfig = await writeMirror(lab.folder, provider);
  const program = await locateTerraform();
  return {
    lab,
    connection,
    directory,
    events,
    terraform: (castle, other = connection) =>
      new Terraform({
        castle,
        connection: other,
        directory,
        program,
        cliConfig,
        report: (event) => events.push(event),
      }),
  };
}

async function writeMirror(folder: string, provider: string): Promise<string> {
  const mirror = join(folder, "mirror");
  const place = join(mirror, "registry.terraform.io/bpg/proxmox/0.111.1/linux_amd64");
  await access(provider);
  await mkdir(place, { recursive: true });
  await symlink(provider, join(place, "terraform-provider-proxmox_v0.111.1"));
  const cliConfig = join(folder, "terraform.rc");
  await writeFileAtomic(
    cliConfig,
    `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
  );
  return cliConfig;
}
