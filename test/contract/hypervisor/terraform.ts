import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

const PROVIDER = "registry.terraform.io/bpg/proxmox";
const VERSION = "0.111.1";

export interface TerraformResult {
  readonly exitCode: number;
  /** Standard output and standard error together. */
  readonly output: string;
}

/** A folder with the provider in a filesystem mirror, so that terraform asks no registry. */
export class TerraformWorkspace {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  static async create(providerBinary: string): Promise<TerraformWorkspace> {
    const folder = await mkdtemp(join(tmpdir(), "castle-terraform-"));
    const mirror = join(folder, "mirror");
    const place = join(mirror, PROVIDER, VERSION, "linux_amd64");
    await mkdir(place, { recursive: true });
    const binary = join(place, `terraform-provider-proxmox_v${VERSION}`);
    await copyFile(providerBinary, binary);
    await chmod(binary, 0o755);
    const config = join(folder, "terraform.rc");
    await writeFile(
      config,
      `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
    );
    return new TerraformWorkspace(folder, {
      TF_CLI_CONFIG_FILE: config,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    });
  }

  /** Replaces the configuration. `token` reaches the provider through the environment only. */
  async configure(configuration: object): Promise<void> {
    await writeFile(join(this.folder, "main.tf.json"), JSON.stringify(configuration, undefined, 2));
  }

  async run(args: readonly string[], token: string): Promise<TerraformResult> {
    const [command = "", ...rest] = args;
    // `state` is a group of commands, which know no colours.
    const colour = command === "state" ? [] : ["-no-color"];
    const done = await execa("terraform", [command, ...colour, ...rest], {
      cwd: this.folder,
      env: { ...this.#env, PROXMOX_VE_API_TOKEN: token },
      reject: false,
      all: true,
      stdin: "ignore",
      timeout: 180_000,
    });
    return { exitCode: done.exitCode ?? -1, output: done.all };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
