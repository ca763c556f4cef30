import type { CatalogueEntry } from "../exit-code.ts";

export const backupErrors = {
  "backup/damaged": { exit: 1, meaning: "A backup, or a snapshot for one, is not whole." },
  "backup/key": { exit: 1, meaning: "A backup was encrypted for another age identity." },
  "backup/foreign": { exit: 1, meaning: "A backup is another castle's." },
  "backup/old": { exit: 1, meaning: "A backup is older than a restore takes without --allow-old." },
  "backup/version": {
    exit: 1,
    meaning: "A backup was taken with other versions of Talos or Kubernetes than the spec names.",
  },
  "backup/not-found": { exit: 1, meaning: "There is no such backup." },
  "backup/place": { exit: 1, meaning: "The place for backups cannot be used." },
  "backup/unproven": { exit: 1, meaning: "A backup could not be proved on this machine." },
} as const satisfies Record<string, CatalogueEntry>;
