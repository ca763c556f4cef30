import type { CatalogueEntry } from "../exit-code.ts";

export const secretsErrors = {
  "secrets/identity": { exit: 1, meaning: "The age identity that opens the secrets cannot be used." },
  "secrets/unreadable": { exit: 1, meaning: "The encrypted secrets cannot be opened with this identity." },
  "secrets/credentials": { exit: 1, meaning: "The secret store's credentials are not set." },
  "secrets/refused": { exit: 1, meaning: "The secret store answers, and refuses." },
  "secrets/unreachable": { exit: 4, meaning: "The secret store does not answer." },
  "secrets/conflict": {
    exit: 1,
    meaning: "The secret store holds another castle's secrets under this castle's name.",
  },
} as const satisfies Record<string, CatalogueEntry>;
