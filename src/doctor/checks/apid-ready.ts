import type { Check } from "../check.ts";

export const apidReady: Check = {
  id: "apid-ready",
  title: "The machine API of every node answers",
  judge: ({ nodes }) =>
    nodes.flatMap(({ node, silent }) =>
      silent === undefined
        ? []
        : [
            {
              severity: "critical" as const,
              object: node.name,
              message: `its machine API does not answer: ${silent}`,
              fix: "castle status shows whether its machine is on",
            },
          ],
    ),
};
