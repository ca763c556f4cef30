import type { CatalogueEntry } from "../exit-code.ts";

export const partsErrors = {
  "parts/missing": { exit: 1, meaning: "A part that the lab needs has not been built or pulled." },
  "parts/unknown": { exit: 2, meaning: "There is no part of that name." },
  "parts/wrong-hash": { exit: 1, meaning: "A stored part is not what was stored: its hash is wrong." },
  "parts/busy": { exit: 1, meaning: "Another process is building or importing parts." },
  "parts/tools-missing": { exit: 1, meaning: "Programs that a build needs are not installed." },
  "parts/disk-full": { exit: 1, meaning: "There is not enough free disk for a build of the parts." },
  "parts/build-failed": { exit: 1, meaning: "A part could not be built." },
  "parts/archive-invalid": { exit: 1, meaning: "A file of exported parts is broken or not one of castle's." },
} as const satisfies Record<string, CatalogueEntry>;
