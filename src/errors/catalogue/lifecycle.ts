import type { CatalogueEntry } from "../exit-code.ts";

export const lifecycleErrors = {
  "lifecycle/timed-out": { exit: 4, meaning: "A step did not reach its goal in its time." },
} as const satisfies Record<string, CatalogueEntry>;
