import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

export const diagnostics: Check = {
  id: "diagnostics",
  title: "Talos itself warns of nothing",
  asks: "nodes",
  judge: (examination) =>
    toldNodes(examination).flatMap(({ node, diagnostics: found }) =>
      found.map(({ id, message }) => ({
        severity: "warning" as const,
        object: node.name,
        message: `${id}: ${message}`,
        fix: `castle talosctl -- -n ${node.address} get diagnostics`,
      })),
    ),
};
