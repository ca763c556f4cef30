import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { skewText } from "../skew.ts";

/** Milliseconds: a kubelet renews its lease every ten seconds; a clock ahead of ours shows in the lease. */
const AHEAD = 5_000;
const FIX = "network.ntp in castle.yaml names the time servers";

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
              fix: FIX,
            },
          ]
        : [],
    ),
    ...toldNodes(examination).flatMap(({ node, skew }): Finding[] => {
      const message = skewText(skew);
      return message === undefined ? [] : [{ severity: "critical", object: node.name, message, fix: FIX }];
    }),
    ...ahead(examination),
  ],
};

/** Of nodes that did not tell their clock themselves. */
function ahead(examination: Parameters<Check["judge"]>[0]): Finding[] {
  const { cluster, at } = examination;
  if (cluster.silent !== undefined) return [];
  const told = new Set(
    toldNodes(examination).flatMap(({ node, skew }) => (skew === undefined ? [] : [node.name])),
  );
  return cluster.nodes.flatMap(({ name, renewed }): Finding[] => {
    if (told.has(name)) return [];
    const skew = (renewed?.getTime() ?? 0) - at.getTime();
    if (skew <= AHEAD) return [];
    return [
      {
        severity: "critical",
        object: name,
        message: `its clock is ${Math.round(skew / 1000)} s ahead of this machine's`,
        fix: FIX,
      },
    ];
  });
}
