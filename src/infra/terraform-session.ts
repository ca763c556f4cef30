import { CastleError } from "../errors/castle-error.ts";
import type { Report } from "../journal/step.ts";
import type { Castle } from "../spec/castle.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { diagnose, wantsInit } from "./diagnosis.ts";
import { clearEarlierRun, forgetRun, recordRun } from "./earlier-run.ts";
import { installProvider, terraformEnvironment } from "./provider-install.ts";
import { ResourceProgress } from "./resource-progress.ts";
import { protectState } from "./state-file.ts";
import { callTerraform, type TerraformOutcome } from "./terraform-process.ts";
import type { TerraformProgram } from "./terraform-program.ts";
import { isInitialized, writeWorkspace } from "./workspace.ts";

export interface TerraformOptions {
  readonly castle: Castle;
  readonly connection: ProxmoxConnection;
  /** The castle's own folder for Terraform, STATE/terraform. */
  readonly directory: string;
  readonly program: TerraformProgram;
  /** Path of a CLI configuration; the lab's names a file system mirror that holds the provider. */
  readonly cliConfig?: string;
  readonly report: Report;
}

export interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Exit codes that are an answer; 0 always is. */
  readonly accept?: readonly number[];
}

/** Terraform in the castle's folder, with the token in its environment and its words translated. */
export class TerraformSession {
  readonly #options: TerraformOptions;
  #certificate: string | undefined;

  constructor(options: TerraformOptions) {
    this.#options = options;
  }

  /** Writes the configuration and fetches the provider; does nothing where that has been done. */
  async prepare(signal?: AbortSignal): Promise<void> {
    const { castle, connection, directory, report } = this.#options;
    this.#certificate = await writeWorkspace(castle, connection, directory);
    if (await clearEarlierRun(directory)) {
      report({ type: "warning", message: "an earlier Terraform run was killed: cleared up after it" });
    }
    if (!(await isInitialized(directory))) await this.#install(signal);
  }

  /**
   * Runs one command, and `init` before a second try where Terraform says that is what it lacks.
   * @throws CastleError
   */
  async call(args: readonly string[], options: CallOptions): Promise<TerraformOutcome> {
    const outcome = await this.#run(args, options);
    if (this.#succeeded(outcome, options)) return outcome;
    if (!wantsInit(outcome)) throw diagnose(outcome, this.#context());
    await this.#install(options.signal);
    const second = await this.#run(args, options);
    if (this.#succeeded(second, options)) return second;
    throw diagnose(second, this.#context());
  }

  #succeeded({ exitCode }: TerraformOutcome, { accept = [] }: CallOptions): boolean {
    return exitCode === 0 || accept.includes(exitCode);
  }

  #context(): { endpoint: string; directory: string } {
    return { endpoint: this.#options.connection.endpoint, directory: this.#options.directory };
  }

  async #install(signal: AbortSignal | undefined): Promise<void> {
    const { connection, ...options } = this.#options;
    await installProvider({ ...options, endpoint: connection.endpoint }, signal);
  }

  async #run(args: readonly string[], { timeout, signal }: CallOptions): Promise<TerraformOutcome> {
    const { directory, program, report } = this.#options;
    const progress = new ResourceProgress(report);
    try {
      return await callTerraform({
        program: program.command,
        directory,
        args,
        timeout,
        signal,
        env: this.#environment(),
        onMessage: (message) => progress.show(message),
        onStart: (pid) => recordRun(directory, pid),
      });
    } catch (error) {
      progress.abandon(error instanceof CastleError ? error.message : "Terraform ended");
      throw error;
    } finally {
      await forgetRun(directory);
      await protectState(directory);
    }
  }

  #environment(): Parameters<typeof callTerraform>[0]["env"] {
    const { connection, cliConfig } = this.#options;
    return {
      ...terraformEnvironment(cliConfig),
      // The provider knows no option for an authority. (init must go on trusting the registry's.)
      ...(this.#certificate === undefined ? {} : { SSL_CERT_FILE: this.#certificate }),
      PROXMOX_VE_API_TOKEN: connection.token,
    };
  }
}
