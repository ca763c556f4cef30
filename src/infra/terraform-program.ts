import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import { run } from "../support/run.ts";
import { missing } from "./terraform-process.ts";

export interface TerraformProgram {
  readonly command: "terraform" | "tofu";
  readonly version: string;
}

const Version = z.object({ terraform_version: z.string() });

/** Import blocks, by which lost state is rebuilt, came with 1.5, the JSON messages of init with 1.9. */
const OLDEST = [1, 6] as const;

/**
 * The first of terraform and tofu that PATH holds.
 * @throws CastleError infra/terraform-missing
 */
export async function locateTerraform(signal?: AbortSignal): Promise<TerraformProgram> {
  for (const command of ["terraform", "tofu"] as const) {
    const version = await versionOf(command, signal);
    if (version === undefined) continue;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { command, version };
    throw new CastleError("infra/terraform-missing", {
      message: `${command} ${version} is too old, expected ${OLDEST.join(".")} or newer`,
      hint: "install a newer Terraform, or OpenTofu",
    });
  }
  throw missing("terraform (or tofu)");
}

async function versionOf(command: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, ["version", "-json"], {
      timeout: 20_000,
      env: { CHECKPOINT_DISABLE: "1" },
      ...(signal === undefined ? {} : { signal }),
    });
    return Version.parse(JSON.parse(stdout)).terraform_version;
  } catch (error) {
    if (error instanceof CastleError && error.code === "command/missing") return undefined;
    throw error;
  }
}
