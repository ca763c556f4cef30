import type { CatalogueEntry } from "../exit-code.ts";

export const partsErrors = {
  "parts/missing": { exit: 1, meaning: "A part that the lab needs has not been built or pulled." },
} as const satisfies Record<string, CatalogueEntry>;
