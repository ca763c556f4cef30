import type { CatalogueEntry } from "../exit-code.ts";

export const machineErrors = {
  "machine/no-lan": { exit: 1, meaning: "A lab machine was to start before its LAN was there." },
  "machine/no-image": { exit: 1, meaning: "The root file system that lab machines boot from is missing." },
  "machine/start-failed": { exit: 1, meaning: "A lab machine ended before its init had begun." },
  "machine/start-timed-out": { exit: 4, meaning: "A lab machine's init did not begin in time." },
  "machine/shutdown-timed-out": { exit: 4, meaning: "A lab machine did not shut itself down in time." },
  "machine/running": { exit: 1, meaning: "The disks of a lab machine cannot be emptied while it runs." },
  "machine/not-running": { exit: 1, meaning: "A lab machine has no network cable while it is off." },
  "machine/will-not-die": { exit: 4, meaning: "Something of a lab machine outlived its power-off." },
} as const satisfies Record<string, CatalogueEntry>;
