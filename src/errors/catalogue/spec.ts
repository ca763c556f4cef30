import type { CatalogueEntry } from "../exit-code.ts";

export const specErrors = {
  "spec/not-found": { exit: 2, meaning: "The spec file does not exist." },
  "spec/invalid": { exit: 2, meaning: "The spec has faults; each is listed with its place." },
  "spec/not-editable": {
    exit: 1,
    meaning: "castle.yaml is written in a way that castle does not edit.",
  },
  "spec/changed": { exit: 1, meaning: "castle.yaml was changed by others while castle worked." },
  "spec/exists": { exit: 1, meaning: "castle init does not overwrite a file." },
} as const satisfies Record<string, CatalogueEntry>;
