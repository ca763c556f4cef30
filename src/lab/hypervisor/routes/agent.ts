import { ApiError } from "../api/api-error.ts";
import type { Call, Route } from "../api/route.ts";
import { cards, vmName } from "../config/machine-config.ts";
import type { Datacenter } from "../datacenter.ts";
import type { VmRecord } from "../inventory/record.ts";
import { vmidOf } from "./parameters.ts";
import { agentEnabled } from "./power.ts";

const LOOPBACK = {
  name: "lo",
  "hardware-address": "00:00:00:00:00:00",
  "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4", prefix: 8 }],
};

/** The guest agent. Containers have none: the answers come from the configuration that the machine was given. */
export function agentRoutes({ fleet, power }: Datacenter): readonly Route[] {
  const answering = async ({ path }: Call): Promise<VmRecord> => {
    const vm = fleet.get(path("host"), vmidOf(path("vmid")));
    if (!agentEnabled(vm)) throw new ApiError(500, "No QEMU guest agent configured");
    if (!(await power.isOn(vm.vmid))) throw new ApiError(500, `VM ${vm.vmid} is not running`);
    return vm;
  };
  return [
    {
      method: "POST",
      path: "nodes/:host/qemu/:vmid/agent/ping",
      privilege: "VM.GuestAgent.Audit",
      answer: async (call) => {
        await answering(call);
        return { result: {} };
      },
    },
    {
      method: "GET",
      path: "nodes/:host/qemu/:vmid/agent/network-get-interfaces",
      privilege: "VM.GuestAgent.Audit",
      answer: async (call) => ({ result: [LOOPBACK, ...interfaces(await answering(call))] }),
    },
    {
      method: "GET",
      path: "nodes/:host/qemu/:vmid/agent/get-osinfo",
      privilege: "VM.GuestAgent.Audit",
      answer: async (call) => {
        const vm = await answering(call);
        return { result: { id: "talos", name: "Talos", "pretty-name": `Talos (${vmName(vm)})` } };
      },
    },
  ];
}

function interfaces(vm: VmRecord): readonly object[] {
  return cards(vm.options).map(({ mac, address }, index) => {
    const [ip = "", prefix = ""] = (address ?? "").split("/");
    return {
      name: `eth${index}`,
      "hardware-address": mac.toLowerCase(),
      "ip-addresses":
        address === undefined
          ? []
          : [{ "ip-address": ip, "ip-address-type": "ipv4", prefix: Number(prefix) }],
    };
  });
}
