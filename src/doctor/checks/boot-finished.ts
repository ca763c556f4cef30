import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

export const bootFinished: Check = {
  id: "boot-finished",
  title: "Every node has finished its boot",
  asks: "nodes",
  judge: (examination) =>
    toldNodes(examination).flatMap(({ node, state: { stage, ready, unmet } }) => {
      if (stage === "running" && ready) return [];
      const waits = unmet.map(({ name, reason }) => `${name} (${reason})`).join(", ");
      return [
        {
          severity: stage === "running" ? ("warning" as const) : ("critical" as const),
          object: node.name,
          message: `it is ${stage}${waits === "" ? "" : ` and waits for ${waits}`}`,
          fix: `castle events; castle talosctl -- -n ${node.address} dmesg`,
        },
      ];
    }),
};
