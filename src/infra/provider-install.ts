import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runStep, type Report } from "../journal/step.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { diagnose } from "./diagnosis.ts";
import { clearEarlierRun, forgetRun, recordRun } from "./earlier-run.ts";
import { REQUIREMENTS } from "./render.ts";
import { sortedJson } from "./sorted-json.ts";
import { callTerraform } from "./terraform-process.ts";
import type { TerraformProgram } from "./terraform-program.ts";
import { isInitialized } from "./workspace.ts";

/** Milliseconds. */
const TIMEOUT = 180_000;

export interface ProviderInstall {
  readonly directory: string;
  readonly program: TerraformProgram;
  readonly cliConfig?: string;
  readonly report: Report;
  /** For messages; undefined: there is no hypervisor to speak to yet. */
  readonly endpoint?: string;
}

/**
 * Fetches the provider before there is a hypervisor: `terraform init` reads only which provider is wanted, so it need
 * not wait for a lab that is coming up. Does nothing where that has been done.
 * @throws CastleError infra/provider-unavailable, command/…
 */
export async function fetchProviderAhead(install: ProviderInstall, signal?: AbortSignal): Promise<void> {
  const { directory } = install;
  if (await isInitialized(directory)) return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await clearEarlierRun(directory);
  const file = join(directory, "main.tf.json");
  const there = await access(file).then(
    () => true,
    () => false,
  );
  // The whole configuration takes its place when the hypervisor is known.
  if (!there) await writeFileAtomic(file, sortedJson({ terraform: REQUIREMENTS }));
  await installProvider(install, signal);
}

/** `terraform init`, told as a step. */
export async function installProvider(
  { directory, program, cliConfig, report, endpoint = "the registry" }: ProviderInstall,
  signal?: AbortSignal,
): Promise<void> {
  const step = { id: "infra-init", title: "Terraform: fetching the Proxmox provider" };
  await runStep(report, step, async () => {
    try {
      const outcome = await callTerraform({
        program: program.command,
        directory,
        args: ["init", "-no-color", "-input=false"],
        timeout: TIMEOUT,
        signal,
        env: terraformEnvironment(cliConfig),
        onStart: (pid) => recordRun(directory, pid),
      });
      if (outcome.exitCode !== 0) throw diagnose(outcome, { endpoint, directory });
      return undefined;
    } finally {
      await forgetRun(directory);
    }
  });
}

/** Nothing that a person set for other uses may change what the castle's Terraform does. */
export function terraformEnvironment(cliConfig: string | undefined): Record<string, string | undefined> {
  return {
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
    TF_WORKSPACE: "default",
    TF_CLI_ARGS: undefined,
    TF_DATA_DIR: undefined,
    PROXMOX_VE_USERNAME: undefined,
    PROXMOX_VE_PASSWORD: undefined,
    PROXMOX_VE_AUTH_TICKET: undefined,
    PROXMOX_VE_INSECURE: undefined,
    ...(cliConfig === undefined ? {} : { TF_CLI_CONFIG_FILE: cliConfig }),
  };
}
