import { ApiError } from "../api/api-error.ts";
import { type Input, isTrue, optionalInteger } from "../api/input.ts";
import type { Call, Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VmRecord } from "../inventory/record.ts";
import { vmidOf } from "./parameters.ts";
import { vmSummary } from "./vm-summary.ts";

/** Milliseconds that a shutdown waits unless told; Proxmox' own default. */
const SHUTDOWN_PATIENCE = 180_000;

type PowerWork = (vm: VmRecord, call: Call, log: (line: string) => void) => Promise<void>;

export function powerRoutes(datacenter: Datacenter): readonly Route[] {
  const { fleet, power, tasks } = datacenter;
  const action = (name: string, taskType: string, work: PowerWork): Route => ({
    method: "POST",
    path: `nodes/:host/qemu/:vmid/status/${name}`,
    privilege: "VM.PowerMgmt",
    answer: (call) => {
      patience(call.input);
      const vm = fleet.unlocked(call.path("host"), vmidOf(call.path("vmid")));
      if (vm.template) throw new ApiError(400, `VM ${vm.vmid} is a template: it has no power`);
      const request = { host: vm.host, type: taskType, id: String(vm.vmid), user: call.user };
      return tasks.begin(request, (log) =>
        power.queue.run(vm.vmid, async () => {
          fleet.unlocked(vm.host, vm.vmid);
          await work(vm, call, log);
        }),
      );
    },
  });
  return [
    {
      method: "GET",
      path: "nodes/:host/qemu/:vmid/status/current",
      answer: async ({ path }) => {
        const vm = fleet.get(path("host"), vmidOf(path("vmid")));
        const summary = await vmSummary(datacenter, vm);
        return { ...summary, ha: { managed: 0 }, ...(agentEnabled(vm) ? { agent: 1 } : {}) };
      },
    },
    action("start", "qmstart", async (vm, _call, log) => {
      if (vm.onWanted && (await power.isOn(vm.vmid))) log(`VM ${vm.vmid} already running`);
      else await power.start(vm);
    }),
    action("stop", "qmstop", (vm) => power.stop(vm)),
    action("shutdown", "qmshutdown", (vm, { input }) =>
      power.shutdown(vm, patience(input), isTrue(input.get("forceStop"))),
    ),
    action("reboot", "qmreboot", async (vm, { input }) => {
      if (!(await power.isOn(vm.vmid))) throw new Error(`VM ${vm.vmid} not running`);
      await power.reboot(vm, patience(input));
    }),
    action("reset", "qmreset", async (vm) => {
      if (!(await power.isOn(vm.vmid))) throw new Error(`VM ${vm.vmid} not running`);
      await power.reboot(vm, 0);
    }),
  ];
}

export function agentEnabled({ options }: VmRecord): boolean {
  return /^(enabled=)?1(,|$)/.test(options["agent"] ?? "");
}

/** Milliseconds; the parameter is in seconds. */
function patience(input: Input): number {
  const seconds = optionalInteger(input, "timeout");
  return seconds === undefined ? SHUTDOWN_PATIENCE : seconds * 1000;
}
