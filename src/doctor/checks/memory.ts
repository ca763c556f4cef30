import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

/** MiB, by Talos v1.11's system requirements, less what a kernel keeps for itself. */
const LEAST = { controlplane: 2048 - 256, worker: 1024 - 128 } as const;

export const memory: Check = {
  id: "memory",
  title: "Every node has the memory that Talos asks for",
  asks: "nodes",
  judge: (examination) =>
    toldNodes(examination).flatMap(({ node, memory: found }) =>
      found === undefined || found >= LEAST[node.role]
        ? []
        : [
            {
              severity: "warning" as const,
              object: node.name,
              message: `it has ${found} MiB of memory, Talos asks for ${LEAST[node.role]}`,
              fix: "give it more memory in castle.yaml, then: castle up",
            },
          ],
    ),
};
