import type { Exit, MachineConfig, MachineDriver, PowerState } from "../../../src/lab/machine/machine.ts";

interface MemoryMachine {
  power: PowerState;
  linkUp: boolean;
  /** Counts the times that the disks were emptied. */
  wipes: number;
  starts: number;
  config?: MachineConfig;
}

/** Machines that are nothing but a record: what the hypervisor asks of a driver, without containers. */
export class MemoryMachines implements MachineDriver {
  readonly machines = new Map<number, MemoryMachine>();
  /** Calls that shall fail: "start" → the error's message. */
  readonly refusals = new Map<string, string>();
  /** Calls that never end, and what is done once one is reached. */
  readonly stuck = new Map<string, () => void>();
  /** Guests that do not listen to a shutdown. */
  readonly deaf = new Set<number>();
  /** Every shutdown waits for it. */
  slowness: Promise<unknown> = Promise.resolve();
  #listeners: ((vmid: number, exit: Exit) => void)[] = [];

  async create(vmid: number): Promise<void> {
    await this.#enter("create");
    if (!this.machines.has(vmid)) {
      this.machines.set(vmid, { power: "stopped", linkUp: true, wipes: 0, starts: 0 });
    }
  }

  async start(config: MachineConfig): Promise<void> {
    await this.#enter("start");
    const machine = this.#machine(config.vmid);
    if (machine.power === "running") return;
    machine.power = "running";
    machine.config = config;
    machine.starts++;
  }

  async powerOff(vmid: number): Promise<void> {
    await this.#enter("powerOff");
    this.#machine(vmid).power = "stopped";
  }

  async shutdown(vmid: number, _timeout: number, force: boolean): Promise<void> {
    await this.slowness;
    if (this.deaf.has(vmid) && !force) return;
    this.#machine(vmid).power = "stopped";
  }

  async setLink(vmid: number, up: boolean): Promise<void> {
    this.#machine(vmid).linkUp = up;
  }

  async destroy(vmid: number): Promise<void> {
    await this.#enter("destroy");
    this.machines.delete(vmid);
  }

  async wipe(vmid: number): Promise<void> {
    this.#machine(vmid).wipes++;
  }

  async state(vmid: number): Promise<PowerState> {
    return this.machines.get(vmid)?.power ?? "stopped";
  }

  onExit(listener: (vmid: number, exit: Exit) => void): void {
    this.#listeners.push(listener);
  }

  /** The guest ends by itself. */
  exit(vmid: number, exit: Exit): void {
    this.#machine(vmid).power = "stopped";
    for (const listener of this.#listeners) listener(vmid, exit);
  }

  /** What a restart of the host does: all machines are off, nobody is told, disks stay. */
  restartHost(): void {
    for (const machine of this.machines.values()) machine.power = "stopped";
    this.#listeners = [];
  }

  #machine(vmid: number): MemoryMachine {
    const machine = this.machines.get(vmid);
    if (machine === undefined) throw new Error(`the driver has no machine ${vmid}`);
    return machine;
  }

  async #enter(call: string): Promise<void> {
    const reached = this.stuck.get(call);
    if (reached !== undefined) await new Promise<never>(reached);
    const reason = this.refusals.get(call);
    if (reason !== undefined) throw new Error(reason);
  }
}
