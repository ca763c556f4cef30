import type { CatalogueEntry } from "../exit-code.ts";

export const secretsErrors = {
  "secrets/identity": { exit: 1, meaning: "The age identity that opens the secrets cannot be used." },
  "secrets/unreadable": { exit: 1, meaning: "The encrypted secrets cannot be opened with this identity." },
} as const satisfies Record<string, CatalogueEntry>;
