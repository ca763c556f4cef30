import { ApiError } from "../api/api-error.ts";
import type { MachineDriver } from "../../machine/machine.ts";
import type { VmRecord, VolumeRecord } from "./record.ts";
import type { StateFile } from "./state-file.ts";

/** The machines on record: made and removed whole, also when the daemon is killed half-way. */
export class Fleet {
  readonly #file: StateFile;
  readonly #driver: MachineDriver;

  constructor(file: StateFile, driver: MachineDriver) {
    this.#file = file;
    this.#driver = driver;
  }

  all(): readonly VmRecord[] {
    return [...this.#file.state.vms.values()].sort((a, b) => a.vmid - b.vmid);
  }

  has(vmid: number): boolean {
    return this.#file.state.vms.has(vmid);
  }

  /** @throws ApiError 500 in the words by which clients know that a machine is gone. */
  get(host: string, vmid: number): VmRecord {
    const vm = this.#file.state.vms.get(vmid);
    if (vm === undefined || vm.host !== host) {
      throw new ApiError(500, `Configuration file 'nodes/${host}/qemu-server/${vmid}.conf' does not exist`);
    }
    return vm;
  }

  /** @throws ApiError as `get`, and 409 while the machine is being made or removed. */
  unlocked(host: string, vmid: number): VmRecord {
    const vm = this.get(host, vmid);
    if (vm.lock !== undefined) throw new ApiError(409, `VM ${vmid} is locked (${vm.lock})`);
    return vm;
  }

  /** The lowest free id from 100 on. */
  nextId(): number {
    let vmid = 100;
    while (this.has(vmid)) vmid++;
    return vmid;
  }

  /** Puts a locked record and its volumes on the disk; `complete` takes the lock away. */
  async reserve(vm: VmRecord, volumes: readonly VolumeRecord[]): Promise<void> {
    const { state } = this.#file;
    if (state.vms.has(vm.vmid)) {
      // A permanent fault: with a 5xx clients would try again and take the refusal for their own success.
      throw new ApiError(
        400,
        `unable to create VM ${vm.vmid} - VM ${vm.vmid} already exists on node '${vm.host}'`,
      );
    }
    state.vms.set(vm.vmid, vm);
    state.volumes = volumes;
    await this.#file.save();
  }

  /** Makes the machine of a reserved record; where that fails, nothing of it is left. */
  async complete(vm: VmRecord): Promise<void> {
    try {
      await this.#driver.create(vm.vmid);
    } catch (error) {
      // What cannot be removed now stays locked, and is removed at the next start or by a delete.
      await this.remove(vm).catch(() => undefined);
      throw error;
    }
    delete vm.lock;
    await this.#file.save();
  }

  async remove(vm: VmRecord): Promise<void> {
    vm.lock = "destroy";
    vm.onWanted = false;
    await this.#file.save();
    await this.#driver.destroy(vm.vmid);
    const { state } = this.#file;
    state.vms.delete(vm.vmid);
    state.volumes = state.volumes.filter((volume) => volume.vmid !== vm.vmid);
    await this.#file.save();
  }

  /** After a kill: what was being made or removed is removed, so that the same call can be made again. */
  async repair(log: (line: string) => void): Promise<void> {
    for (const vm of this.all()) {
      if (vm.lock === undefined) continue;
      try {
        await this.remove(vm);
      } catch (error) {
        log(`VM ${vm.vmid} is half-made and could not be removed: ${String(error)}`);
      }
    }
  }
}
