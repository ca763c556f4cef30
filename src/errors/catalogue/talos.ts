import type { CatalogueEntry } from "../exit-code.ts";

export const talosErrors = {
  "talos/unreachable": { exit: 4, meaning: "A node does not answer on its machine API." },
} as const satisfies Record<string, CatalogueEntry>;
