import { randomUUID } from "node:crypto";
import { ApiError } from "../api/api-error.ts";
import { requiredInteger } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import { changeConfiguration, startAsked } from "../config/change.ts";
import type { Datacenter } from "../datacenter.ts";
import { type VmRecord, newRecord } from "../inventory/record.ts";
import { refuseFaultyId, refusePool, vmidOf } from "./parameters.ts";
import { vmSummary } from "./vm-summary.ts";

/** Machines as a whole: list, create, delete. */
export function machineRoutes(datacenter: Datacenter): readonly Route[] {
  const { fleet, tasks, power } = datacenter;
  return [
    {
      method: "GET",
      path: "nodes/:host/qemu",
      answer: ({ path }) =>
        Promise.all(
          fleet
            .all()
            .filter((vm) => vm.host === path("host"))
            .map((vm) => vmSummary(datacenter, vm)),
        ),
    },
    {
      method: "POST",
      path: "nodes/:host/qemu",
      privilege: "VM.Allocate",
      answer: (call) => create(datacenter, call),
    },
    {
      method: "DELETE",
      path: "nodes/:host/qemu/:vmid",
      privilege: "VM.Allocate",
      answer: async ({ path, user }) => {
        const vm = fleet.get(path("host"), vmidOf(path("vmid")));
        if (vm.options["protection"] === "1") {
          throw new ApiError(403, `can't remove VM ${vm.vmid} - protection mode enabled`);
        }
        if (await power.isOn(vm.vmid)) throw new ApiError(400, `VM ${vm.vmid} is running - destroy failed`);
        const request = { host: vm.host, type: "qmdestroy", id: String(vm.vmid), user };
        return tasks.begin(request, () =>
          power.queue.run(vm.vmid, async () => {
            if (fleet.has(vm.vmid)) await fleet.remove(vm);
          }),
        );
      },
    },
  ];
}

async function create(datacenter: Datacenter, { path, input, user }: Call): Promise<string> {
  const { settings, fleet, file, tasks, power } = datacenter;
  const host = path("host");
  const vmid = requiredInteger(input, "vmid");
  refuseFaultyId(vmid);
  refusePool(input.get("pool"));
  if (fleet.has(vmid)) throw new ApiError(400, `unable to create VM ${vmid} - VM ${vmid} already exists`);
  const { options, volumes } = changeConfiguration(
    { options: { smbios1: `uuid=${randomUUID()}` }, volumes: file.state.volumes },
    input,
    { vmid, host, settings },
  );
  const vm: VmRecord = { ...newRecord(vmid, host), options, lock: "create" };
  if (options["template"] === "1") vm.template = true;
  await fleet.reserve(vm, volumes);
  return tasks.begin({ host, type: "qmcreate", id: String(vmid), user }, (log) =>
    power.queue.run(vmid, async () => {
      await fleet.complete(vm);
      log(`VM ${vmid} created`);
      if (startAsked(input)) await power.start(vm);
    }),
  );
}
