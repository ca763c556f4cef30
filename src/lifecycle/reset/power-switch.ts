import { ProxmoxClient } from "../../infra/proxmox-client.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { CastleRun } from "../castle-run.ts";

/** The machines' power, as the hypervisor has it. */
export class PowerSwitch {
  readonly #run: Pick<CastleRun, "signal">;
  readonly #client: ProxmoxClient;
  #look: ReturnType<ProxmoxClient["powerStates"]> | undefined;

  constructor(run: Pick<CastleRun, "ground" | "signal">) {
    this.#run = run;
    this.#client = new ProxmoxClient(run.ground.proxmox);
  }

  async state({ vmid }: CastleNode): Promise<"running" | "stopped" | "missing"> {
    return (await this.#states()).get(vmid) ?? "missing";
  }

  /** One answer tells of all machines: who asks while it is under way has it too. */
  #states(): ReturnType<ProxmoxClient["powerStates"]> {
    this.#look ??= this.#client.powerStates(this.#run.signal).finally(() => {
      this.#look = undefined;
    });
    return this.#look;
  }

  /** Powers it on; one that is on is left alone. */
  async on({ host, vmid }: CastleNode): Promise<void> {
    await this.#client.start(host, vmid, this.#run.signal);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
