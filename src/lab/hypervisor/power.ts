import type { Exit, MachineDriver } from "../machine/machine.ts";
import { linkUp, machineConfig } from "./config/machine-config.ts";
import { KeyedQueue } from "./inventory/keyed-queue.ts";
import type { VmRecord } from "./inventory/record.ts";
import type { StateFile } from "./inventory/state-file.ts";

/** Milliseconds that a reboot waits for the machine to shut down before it pulls the plug. */
const REBOOT_PATIENCE = 60_000;

export interface PowerParts {
  readonly driver: MachineDriver;
  readonly file: StateFile;
  readonly log: (line: string) => void;
}

/**
 * Power of all machines: what was asked for is kept before the driver is asked, so that a kill in between is made
 * good by `resume`. Works on one machine never overlap.
 */
export class Power {
  readonly queue = new KeyedQueue();
  readonly #driver: MachineDriver;
  readonly #file: StateFile;
  readonly #log: (line: string) => void;
  /** Counts the starts of each machine, so that the late news of an earlier life is not taken for this one. */
  readonly #lives = new Map<number, number>();
  readonly #restarting = new Set<number>();
  readonly #startedAt = new Map<number, number>();

  constructor({ driver, file, log }: PowerParts) {
    this.#driver = driver;
    this.#file = file;
    this.#log = log;
    driver.onExit((vmid, exit) => this.#exited(vmid, exit));
  }

  /** A machine that restarts by itself counts as running, as a virtual machine's process does. */
  async isOn(vmid: number): Promise<boolean> {
    return this.#restarting.has(vmid) || (await this.#driver.state(vmid)) === "running";
  }

  /** Seconds since the start; 0 where it was started by an earlier daemon. */
  uptime(vmid: number): number {
    const started = this.#startedAt.get(vmid);
    return started === undefined ? 0 : Math.floor((performance.now() - started) / 1000);
  }

  /** Starts a machine; call within the machine's turn of `queue`. */
  async start(vm: VmRecord): Promise<void> {
    // An end that nobody has seen yet is told now, as one of the life before.
    await this.#driver.state(vm.vmid);
    const config = machineConfig(vm, this.#file.state.volumes);
    const wantedBefore = vm.onWanted;
    vm.onWanted = true;
    vm.everStarted = true;
    await this.#file.save();
    await this.#wipeIfWanted(vm);
    this.#lives.set(vm.vmid, this.#life(vm.vmid) + 1);
    try {
      await this.#driver.start(config);
      if (!linkUp(vm)) await this.#driver.setLink(vm.vmid, false);
    } catch (error) {
      // What was on before is tried again at the next `resume`; what was off stays off.
      vm.onWanted = wantedBefore;
      await this.#file.save();
      throw error;
    }
    this.#startedAt.set(vm.vmid, performance.now());
  }

  async stop(vm: VmRecord): Promise<void> {
    vm.onWanted = false;
    await this.#file.save();
    await this.#driver.powerOff(vm.vmid);
  }

  /** `timeout` in milliseconds. Fails where the machine is still on afterwards. */
  async shutdown(vm: VmRecord, timeout: number, force: boolean): Promise<void> {
    vm.onWanted = false;
    await this.#file.save();
    const cause = await this.#driver.shutdown(vm.vmid, timeout, force).catch((error: unknown) => error);
    if ((await this.#driver.state(vm.vmid)) === "stopped") return;
    vm.onWanted = true;
    await this.#file.save();
    throw new Error("VM quit/powerdown failed - got timeout", { cause });
  }

  async reboot(vm: VmRecord, timeout = REBOOT_PATIENCE): Promise<void> {
    this.#restarting.add(vm.vmid);
    try {
      await this.#driver.shutdown(vm.vmid, timeout, true);
      await this.start(vm);
    } finally {
      this.#restarting.delete(vm.vmid);
    }
  }

  /** Takes a running machine's cables out, or puts them back. */
  async setLink(vm: VmRecord, up: boolean): Promise<void> {
    if ((await this.#driver.state(vm.vmid)) === "running") await this.#driver.setLink(vm.vmid, up);
  }

  /**
   * Starts what was on and is not: after a restart of the host or a kill of the daemon.
   * @returns the machines that could not be started, with the reason.
   */
  async resume(): Promise<ReadonlyMap<number, string>> {
    const failed = new Map<number, string>();
    const wanted = [...this.#file.state.vms.values()].filter((vm) => vm.onWanted);
    await Promise.all(
      wanted.map((vm) =>
        this.queue.run(vm.vmid, async () => {
          try {
            if (!vm.onWanted || (await this.#driver.state(vm.vmid)) === "running") return;
            await this.#driver.create(vm.vmid);
            await this.start(vm);
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            failed.set(vm.vmid, reason);
            this.#log(`VM ${vm.vmid} was on and could not be started again: ${reason}`);
          }
        }),
      ),
    );
    return failed;
  }

  #exited(vmid: number, exit: Exit): void {
    const vm = this.#file.state.vms.get(vmid);
    if (vm === undefined) return;
    this.#log(`VM ${vmid} ended: ${exit.kind === "crashed" ? `crashed, ${exit.detail}` : exit.kind}`);
    const life = this.#life(vmid);
    // Noted at once: whichever start comes next empties the disks first.
    if (exit.kind === "reset") vm.wipeWanted = true;
    const restarts = exit.kind === "reboot-requested" || (exit.kind === "reset" && exit.reboot);
    if (restarts && vm.onWanted) this.#restarting.add(vmid);
    this.queue
      .run(vmid, () => this.#afterExit(vm, restarts, life))
      .catch((error: unknown) => {
        this.#log(`VM ${vmid} after its end: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => this.#restarting.delete(vmid));
  }

  async #afterExit(vm: VmRecord, restarts: boolean, life: number): Promise<void> {
    await this.#file.save();
    if (this.#life(vm.vmid) !== life || this.#file.state.vms.get(vm.vmid) !== vm) return;
    await this.#wipeIfWanted(vm);
    if (restarts && vm.onWanted) await this.start(vm);
    else if (!restarts) {
      vm.onWanted = false;
      await this.#file.save();
    }
  }

  async #wipeIfWanted(vm: VmRecord): Promise<void> {
    if (!vm.wipeWanted) return;
    await this.#driver.wipe(vm.vmid);
    vm.wipeWanted = false;
    await this.#file.save();
  }

  #life(vmid: number): number {
    return this.#lives.get(vmid) ?? 0;
  }
}
