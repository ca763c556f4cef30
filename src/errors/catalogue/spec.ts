import type { CatalogueEntry } from "../exit-code.ts";

export const specErrors = {
  "spec/not-found": { exit: 2, meaning: "The spec file does not exist." },
  "spec/invalid": { exit: 2, meaning: "The spec has faults; each is listed with its place." },
  "spec/exists": { exit: 1, meaning: "castle init does not overwrite a file." },
} as const satisfies Record<string, CatalogueEntry>;
