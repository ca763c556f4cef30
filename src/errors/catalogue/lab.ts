import type { CatalogueEntry } from "../exit-code.ts";

export const labErrors = {
  "lab/not-running": { exit: 4, meaning: "The lab of that name is not up." },
  "lab/not-root": { exit: 1, meaning: "The lab makes namespaces and mounts, which only root may do." },
  "lab/none": { exit: 2, meaning: "The spec describes a castle on a rack, which has no lab." },
  "lab/refused": { exit: 1, meaning: "The lab's daemon could not do what it was asked." },
  "lab/start-failed": { exit: 1, meaning: "The lab's daemon did not come up." },
  "lab/disk-full": { exit: 1, meaning: "There is not enough free disk for a lab." },
  "lab/unknown-machine": { exit: 2, meaning: "The lab has no machine of that name." },
  "lab/settings-broken": { exit: 1, meaning: "The settings file of a lab is damaged." },
  "lab/other-network": { exit: 2, meaning: "A lab of that name exists with another network." },
  "lab/elsewhere": {
    exit: 2,
    meaning: "A lab of that name is on this host, with its state in another folder.",
  },
  "lab/leftovers": { exit: 1, meaning: "Something of a lab could not be taken away." },
  "lab/version": { exit: 2, meaning: "The lab's parts are of another version than the spec asks for." },
} as const satisfies Record<string, CatalogueEntry>;
