import type { CatalogueEntry } from "../exit-code.ts";

export const lifecycleErrors = {
  "lifecycle/timed-out": { exit: 4, meaning: "A step did not reach its goal in its time." },
  "lifecycle/locked": { exit: 1, meaning: "Another castle command is changing this castle." },
  "lifecycle/lock-lost": {
    exit: 1,
    meaning: "Another operator took the castle's lock over during the work.",
  },
  "lifecycle/foreign-node": {
    exit: 1,
    meaning: "A node belongs to another castle, or keeps an old castle's disk.",
  },
  "lifecycle/address-taken": {
    exit: 1,
    meaning: "Something already answers on an address that the castle needs.",
  },
  "lifecycle/not-raised": { exit: 1, meaning: "The castle has not been raised from here." },
  "lifecycle/needs-yes": { exit: 2, meaning: "The command would destroy something and was not told --yes." },
  "lifecycle/quorum": { exit: 1, meaning: "etcd would lose its quorum, or has lost it." },
  "lifecycle/unfinished": {
    exit: 1,
    meaning: "An operation was interrupted and has to be gone on with first.",
  },
  "lifecycle/quarantined": {
    exit: 1,
    meaning: "An address belonged to a node that was removed, and somebody still remembers that one.",
  },
  "lifecycle/no-such-node": { exit: 2, meaning: "The castle has no node of that name." },
  "lifecycle/no-room": { exit: 2, meaning: "The network has no free addresses for what was asked." },
  "lifecycle/secrets-lost": {
    exit: 1,
    meaning: "Machines stand, but the secrets that they were made with are gone.",
  },
} as const satisfies Record<string, CatalogueEntry>;
