import type { CatalogueEntry } from "../exit-code.ts";

export const commandErrors = {
  "command/failed": { exit: 1, meaning: "An outside program ended with an error." },
  "command/missing": { exit: 1, meaning: "An outside program is not installed." },
  "command/disk-full": { exit: 1, meaning: "A disk, or the user's share of it, has no room left." },
  "command/timed-out": { exit: 4, meaning: "An outside program did not finish in its time." },
  "command/interrupted": {
    exit: 130,
    meaning: "The run was interrupted; run the same command again to go on.",
  },
  "command/usage": { exit: 2, meaning: "The command line is not one that castle knows." },
  "command/unexpected": { exit: 1, meaning: "A fault of castle itself." },
} as const satisfies Record<string, CatalogueEntry>;
