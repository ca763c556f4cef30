import type { Disease } from "../disease.ts";
import { toldNodes } from "../examination.ts";
import { SKEWED } from "../skew.ts";

/** Certificates that are not valid yet, leases that end at once, logs that nobody can put in order. */
export const timeSkew: Disease = {
  id: "time-skew",
  title: "A node's clock is wrong",
  diagnose: ({ examination }) => {
    if (examination === undefined) return [];
    return toldNodes(examination)
      .filter(({ skew }) => skew !== undefined && Math.abs(skew) > SKEWED)
      .map(({ node, skew = 0, clock }) => ({
        severity: "critical" as const,
        object: node.name,
        message: `its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "ahead of" : "behind"} this machine's`,
        evidence: [
          `boot time and uptime of ${node.name}: ${new Date(examination.at.getTime() + skew).toISOString()}`,
          `this machine: ${examination.at.toISOString()}`,
          `Talos says that the clock is ${clock}`,
        ],
        fix: "network.ntp in castle.yaml names the time servers",
        command: "castle up",
      }));
  },
};
