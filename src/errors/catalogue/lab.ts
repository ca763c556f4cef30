import type { CatalogueEntry } from "../exit-code.ts";

export const labErrors = {
  "lab/not-running": { exit: 4, meaning: "The lab of that name is not up." },
} as const satisfies Record<string, CatalogueEntry>;
