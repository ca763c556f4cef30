import type { CatalogueEntry } from "../exit-code.ts";

export const talosErrors = {
  "talos/unreachable": { exit: 4, meaning: "A node does not answer on its machine API." },
  "talos/refused": {
    exit: 1,
    meaning: "A node and this castle do not trust each other: it has other secrets, or none yet.",
  },
  "talos/not-ready": {
    exit: 4,
    meaning: "A node answers but cannot do this yet, for example because a service is still starting.",
  },
  "talos/not-in-maintenance": {
    exit: 1,
    meaning: "A node that should wait for its first configuration has one already.",
  },
  "talos/config-rejected": { exit: 1, meaning: "A node refused its machine configuration." },
  "talos/not-found": { exit: 1, meaning: "A node does not have what was asked for." },
  "talos/unsupported": { exit: 1, meaning: "A node does not offer this call in its mode or role." },
  "talos/call-failed": { exit: 1, meaning: "A node answered a machine API call with an error." },
  "talos/malformed": { exit: 1, meaning: "An answer or a file of Talos is not of the expected form." },
  "talos/render-failed": { exit: 1, meaning: "talosctl could not make the machine configurations." },
} as const satisfies Record<string, CatalogueEntry>;
