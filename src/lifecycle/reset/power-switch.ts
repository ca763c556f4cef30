import { ProxmoxClient } from "../../infra/proxmox-client.ts";
import type { CastleNode } from "../../spec/castle.ts";
import type { CastleRun } from "../castle-run.ts";

/** The machines' power, as the hypervisor has it. */
export class PowerSwitch {
  readonly #run: Pick<CastleRun, "signal">;
  readonly #client: ProxmoxClient;

  constructor(run: Pick<CastleRun, "ground" | "signal">) {
    this.#run = run;
    this.#client = new ProxmoxClient(run.ground.proxmox);
  }

  async state({ vmid }: CastleNode): Promise<"running" | "stopped" | "missing"> {
    return (await this.#client.powerStates(this.#run.signal)).get(vmid) ?? "missing";
  }

  /** Powers it on; one that is on is left alone. */
  async on({ host, vmid }: CastleNode): Promise<void> {
    await this.#client.start(host, vmid, this.#run.signal);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
