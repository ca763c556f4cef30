import type { Disease, Sought } from "../disease.ts";
import { toldNodes } from "../examination.ts";
import { skewText } from "../skew.ts";

/** Certificates that are not valid yet, leases that end at once, logs that nobody can put in order. */
export const timeSkew: Disease = {
  id: "time-skew",
  title: "A node's clock is wrong",
  diagnose: ({ examination }) => {
    if (examination === undefined) return [];
    return toldNodes(examination).flatMap(({ node, skew = 0, clock }): Sought[] => {
      const message = skewText(skew);
      if (message === undefined) return [];
      return [
        {
          severity: "critical",
          object: node.name,
          message,
          evidence: [
            `boot time and uptime of ${node.name}: ${new Date(examination.at.getTime() + skew).toISOString()}`,
            `this machine: ${examination.at.toISOString()}`,
            `Talos says that the clock is ${clock}`,
          ],
          fix: "network.ntp in castle.yaml names the time servers",
          command: "castle up",
        },
      ];
    });
  },
};
