import { GIBIBYTE } from "../config/size.ts";
import { vmMemory, vmName } from "../config/machine-config.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VmRecord } from "../inventory/record.ts";

const MEBIBYTE = 1024 ** 2;

/** What lists and status calls show of a machine. */
export async function vmSummary({ power, file }: Datacenter, vm: VmRecord): Promise<object> {
  const on = await power.isOn(vm.vmid);
  const disk = file.state.volumes.find((volume) => volume.vmid === vm.vmid);
  return {
    vmid: vm.vmid,
    name: vmName(vm),
    status: on ? "running" : "stopped",
    cpus: Number(vm.options["cores"] ?? 1) * Number(vm.options["sockets"] ?? 1),
    maxcpu: Number(vm.options["cores"] ?? 1) * Number(vm.options["sockets"] ?? 1),
    maxmem: vmMemory(vm) * MEBIBYTE,
    maxdisk: disk?.size ?? GIBIBYTE,
    uptime: on ? power.uptime(vm.vmid) : 0,
    ...(vm.options["tags"] === undefined ? {} : { tags: vm.options["tags"] }),
    ...(vm.template ? { template: 1 } : {}),
    ...(vm.lock === undefined ? {} : { lock: vm.lock }),
  };
}
