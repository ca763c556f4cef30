import { CastleError } from "../../errors/castle-error.ts";
import { cards, linkUp, vmName } from "../hypervisor/config/machine-config.ts";
import type { Datacenter } from "../hypervisor/datacenter.ts";
import type { VmRecord } from "../hypervisor/inventory/record.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { LabMachine } from "./control-protocol.ts";

/** Milliseconds. */
const SHUTDOWN_PATIENCE = 60_000;

/** The person in front of the machines: presses power buttons and pulls cables, which no API can. */
export interface MachineRoom {
  machines(): Promise<LabMachine[]>;
  /** All plugs at once, as in a power cut: what was on is to be on again when the lab comes back. */
  blackout(): Promise<void>;
  powerOn(vmid: number): Promise<void>;
  /** Presses the power button and, after a minute of nothing, pulls the plug. */
  shutDown(vmid: number): Promise<void>;
  /** Pulls the plug. */
  powerOff(vmid: number): Promise<void>;
  /** Takes all cables of a running machine out, or puts them back; a restart of the machine puts them back too. */
  setLink(vmid: number, up: boolean): Promise<void>;
}

export function machineRoom({ file, power }: Datacenter, driver: MachineDriver): MachineRoom {
  const find = (vmid: number): VmRecord => {
    const vm = file.state.vms.get(vmid);
    if (vm !== undefined) return vm;
    throw new CastleError("lab/unknown-machine", { message: `The lab has no machine ${vmid}` });
  };
  return {
    blackout: async () => {
      await Promise.all([...file.state.vms.keys()].map((vmid) => driver.powerOff(vmid)));
    },
    machines: () =>
      Promise.all(
        [...file.state.vms.values()]
          .toSorted((left, right) => left.vmid - right.vmid)
          .map(async (vm) => ({
            vmid: vm.vmid,
            name: vmName(vm),
            host: vm.host,
            state: await driver.state(vm.vmid),
            addresses: cards(vm.options).flatMap(({ address }) => address?.split("/")[0] ?? []),
          })),
      ),
    powerOn: (vmid) =>
      power.queue.run(vmid, async () => {
        const vm = find(vmid);
        if (!(await power.isOn(vmid))) await power.start(vm);
      }),
    shutDown: (vmid) => power.queue.run(vmid, () => power.shutdown(find(vmid), SHUTDOWN_PATIENCE, true)),
    powerOff: (vmid) => power.queue.run(vmid, () => power.stop(find(vmid))),
    setLink: async (vmid, up) => {
      const vm = find(vmid);
      if (up && !linkUp(vm)) {
        throw new CastleError("lab/refused", {
          message: `${vmName(vm)}'s network card has link_down set in the hypervisor's configuration`,
        });
      }
      await driver.setLink(vmid, up);
    },
  };
}
