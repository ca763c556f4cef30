import type { Check } from "../check.ts";
import { toldNodes } from "../examination.ts";

/** MiB, by Talos v1.11's system requirements, less what its other volumes take. */
const LEAST = 6 * 1024 - 1400;

/** A lab's nodes have folders for disks: those are as large as this machine's, and tell no size of their own. */
export const disk: Check = {
  id: "disk",
  title: "Every node has the disk that Talos asks for",
  asks: "nodes",
  judge: (examination) =>
    toldNodes(examination).flatMap(({ node, disk: found }) =>
      found === undefined || found >= LEAST
        ? []
        : [
            {
              severity: "warning" as const,
              object: node.name,
              message: `its EPHEMERAL volume has ${found} MiB, Talos asks for ${LEAST}`,
              fix: "give it a larger disk in castle.yaml, then: castle up",
            },
          ],
    ),
};
