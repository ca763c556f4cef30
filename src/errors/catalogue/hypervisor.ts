import type { CatalogueEntry } from "../exit-code.ts";

export const hypervisorErrors = {
  "hypervisor/port-taken": { exit: 1, meaning: "Another program has the lab's API port." },
  "hypervisor/state-damaged": { exit: 1, meaning: "The lab's record of its machines cannot be read." },
} as const satisfies Record<string, CatalogueEntry>;
