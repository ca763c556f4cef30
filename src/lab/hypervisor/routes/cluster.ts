import { parameterError } from "../api/api-error.ts";
import { optionalInteger } from "../api/input.ts";
import type { Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";
import { hostSummary } from "./hosts.ts";
import { vmSummary } from "./vm-summary.ts";

/** The oldest release that knows `import` storage content is 8.4; clients gate on it. */
const VERSION = { version: "9.0.11", release: "9.0", repoid: "castle-lab" };

export function clusterRoutes(datacenter: Datacenter): readonly Route[] {
  const { settings, fleet } = datacenter;
  return [
    { method: "GET", path: "version", answer: () => VERSION },
    {
      method: "GET",
      path: "nodes",
      answer: () => settings.hosts.map((host) => hostSummary(datacenter, host)),
    },
    {
      method: "GET",
      path: "cluster/nextid",
      answer: ({ input }) => {
        const vmid = optionalInteger(input, "vmid");
        if (vmid === undefined) return String(fleet.nextId());
        if (fleet.has(vmid)) throw parameterError({ vmid: `VM ${vmid} already exists` });
        return String(vmid);
      },
    },
    {
      method: "GET",
      path: "cluster/resources",
      answer: async ({ input }) => {
        const type = input.get("type");
        const vms = type === undefined || type === "vm" ? await vmResources(datacenter) : [];
        const nodes = type === undefined || type === "node" ? hostResources(datacenter) : [];
        const storages = type === undefined || type === "storage" ? storageResources(datacenter) : [];
        return [...vms, ...nodes, ...storages];
      },
    },
    {
      method: "GET",
      path: "cluster/status",
      answer: () => [
        {
          type: "cluster",
          id: "cluster",
          name: "castle-lab",
          nodes: settings.hosts.length,
          quorate: 1,
          version: 1,
        },
        ...settings.hosts.map((name, index) => ({
          type: "node",
          id: `node/${name}`,
          name,
          nodeid: index + 1,
          ip: "127.0.0.1",
          local: index === 0 ? 1 : 0,
          online: 1,
          level: "",
        })),
      ],
    },
  ];
}

async function vmResources(datacenter: Datacenter): Promise<readonly object[]> {
  return Promise.all(
    datacenter.fleet.all().map(async (vm) => ({
      ...(await vmSummary(datacenter, vm)),
      id: `qemu/${vm.vmid}`,
      type: "qemu",
      node: vm.host,
      template: vm.template ? 1 : 0,
    })),
  );
}

function hostResources(datacenter: Datacenter): readonly object[] {
  return datacenter.settings.hosts.map((host) => ({ ...hostSummary(datacenter, host), type: "node" }));
}

function storageResources({ settings }: Datacenter): readonly object[] {
  return settings.hosts.flatMap((node) =>
    settings.storages.map(({ name, type, content }) => ({
      id: `storage/${node}/${name}`,
      type: "storage",
      node,
      storage: name,
      plugintype: type,
      content: content.join(","),
      shared: 0,
      status: "available",
    })),
  );
}
