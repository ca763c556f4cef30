import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Milliseconds: a kubelet renews its lease every ten seconds; a clock ahead of ours shows in the lease. */
const AHEAD = 5_000;

export const clock: Check = {
  id: "clock",
  title: "The nodes' clocks are synchronised and agree",
  asks: "nodes",
  judge: (examination) => [
    ...toldNodes(examination).flatMap(({ node, clock: state }): Finding[] =>
      state === "not synchronised"
        ? [
            {
              severity: "warning",
              object: node.name,
              message: "its clock is not synchronised",
              fix: "network.ntp in castle.yaml names the time servers",
            },
          ]
        : [],
    ),
    ...ahead(examination),
  ],
};

function ahead({ cluster, at }: Parameters<Check["judge"]>[0]): Finding[] {
  if (cluster.silent !== undefined) return [];
  return cluster.nodes.flatMap(({ name, renewed }): Finding[] => {
    const skew = (renewed?.getTime() ?? 0) - at.getTime();
    if (skew <= AHEAD) return [];
    return [
      {
        severity: "critical",
        object: name,
        message: `its clock is ${Math.round(skew / 1000)} s ahead of this machine's`,
        fix: "network.ntp in castle.yaml names the time servers",
      },
    ];
  });
}
