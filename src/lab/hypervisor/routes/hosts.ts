import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from "node:os";
import type { Route } from "../api/route.ts";
import type { Datacenter } from "../datacenter.ts";

export function hostRoutes({ settings }: Datacenter): readonly Route[] {
  return [
    {
      method: "GET",
      path: "nodes/:host/status",
      privilege: "Sys.Audit",
      answer: () => ({
        uptime: Math.floor(uptime()),
        loadavg: loadavg().map((load) => load.toFixed(2)),
        memory: { total: totalmem(), free: freemem(), used: totalmem() - freemem() },
        cpuinfo: {
          cpus: availableParallelism(),
          cores: availableParallelism(),
          sockets: 1,
          model: cpus()[0]?.model ?? "unknown",
        },
        cpu: load(),
        pveversion: "pve-manager/9.0.11/castle-lab",
      }),
    },
    {
      method: "GET",
      path: "nodes/:host/network",
      answer: ({ input }) => {
        const type = input.get("type");
        if (type !== undefined && !["bridge", "any_bridge", "any_local_bridge"].includes(type)) return [];
        return settings.bridges.map((iface) => ({
          iface,
          type: "bridge",
          active: 1,
          autostart: 1,
          method: "manual",
          method6: "manual",
          bridge_ports: "",
          priority: 1,
        }));
      },
    },
  ];
}

/** A host as lists show it. All hosts of a lab are one machine, so they show the same numbers. */
export function hostSummary({ fingerprint }: Datacenter, host: string): object {
  return {
    id: `node/${host}`,
    node: host,
    type: "node",
    status: "online",
    cpu: load(),
    maxcpu: availableParallelism(),
    mem: totalmem() - freemem(),
    maxmem: totalmem(),
    uptime: Math.floor(uptime()),
    level: "",
    ssl_fingerprint: fingerprint,
  };
}

function load(): number {
  return Math.min(1, (loadavg()[0] ?? 0) / availableParallelism());
}
