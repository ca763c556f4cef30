import type { CatalogueEntry } from "../exit-code.ts";

export const infraErrors = {
  "infra/terraform-missing": { exit: 1, meaning: "Neither terraform nor tofu is on PATH." },
} as const satisfies Record<string, CatalogueEntry>;
