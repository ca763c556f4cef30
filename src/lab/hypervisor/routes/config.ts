import { createHash } from "node:crypto";
import type { Call, Route } from "../api/route.ts";
import { changeConfiguration } from "../config/change.ts";
import { linkUp } from "../config/machine-config.ts";
import { showOption } from "../config/options.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VmRecord } from "../inventory/record.ts";
import { vmidOf } from "./parameters.ts";

export function configRoutes(datacenter: Datacenter): readonly Route[] {
  const { fleet, tasks, power, file, settings } = datacenter;
  const change = (vm: VmRecord, { input }: Call) => {
    const { vmid, host } = vm;
    const before = { options: vm.options, volumes: file.state.volumes };
    return changeConfiguration(before, input, { vmid, host, settings });
  };
  const apply = async (vm: VmRecord, call: Call) => {
    const { options, volumes } = change(vm, call);
    const wasUp = linkUp(vm);
    vm.options = options;
    vm.template = options["template"] === "1";
    file.state.volumes = volumes;
    await file.save();
    if (linkUp(vm) !== wasUp) await power.setLink(vm, !wasUp);
  };
  return [
    {
      method: "GET",
      path: "nodes/:host/qemu/:vmid/config",
      answer: ({ path }) => echo(fleet.get(path("host"), vmidOf(path("vmid")))),
    },
    {
      method: "PUT",
      path: "nodes/:host/qemu/:vmid/config",
      privilege: "VM.Config.Options",
      answer: (call) => {
        const vm = fleet.unlocked(call.path("host"), vmidOf(call.path("vmid")));
        return power.queue.run(vm.vmid, () => apply(vm, call));
      },
    },
    {
      method: "POST",
      path: "nodes/:host/qemu/:vmid/config",
      privilege: "VM.Config.Options",
      answer: (call) => {
        const vm = fleet.unlocked(call.path("host"), vmidOf(call.path("vmid")));
        // Looked at before the answer too: a faulty call is refused, not left to its task.
        change(vm, call);
        const request = { host: vm.host, type: "qmconfig", id: String(vm.vmid), user: call.user };
        return tasks.begin(request, () => power.queue.run(vm.vmid, () => apply(vm, call)));
      },
    },
    {
      method: "PUT",
      path: "nodes/:host/qemu/:vmid/cloudinit",
      privilege: "VM.Config.Cloudinit",
      answer: ({ path }) => {
        fleet.unlocked(path("host"), vmidOf(path("vmid")));
        return null;
      },
    },
  ];
}

/** A machine's configuration as Proxmox shows it. */
function echo(vm: VmRecord): object {
  const shown = Object.entries(vm.options).map(([key, value]) => [key, showOption(key, value)] as const);
  const digest = createHash("sha1").update(JSON.stringify(vm.options)).digest("hex");
  return { ...Object.fromEntries(shown), digest, ...(vm.lock === undefined ? {} : { lock: vm.lock }) };
}
