import type { CatalogueEntry } from "../exit-code.ts";

export const lanErrors = {
  "lan/name-invalid": {
    exit: 2,
    meaning: "The name of a lab, a bridge or a folder cannot be used for a network namespace.",
  },
  "lan/kernel-feature-missing": {
    exit: 1,
    meaning: "The kernel lacks something that the lab's machines need, and it could not be loaded.",
  },
  "lan/agent-unreachable": { exit: 4, meaning: "The agent inside the lab's LAN does not answer." },
  "lan/unreachable": { exit: 4, meaning: "Nobody on the lab's LAN accepted the connection." },
  "lan/service-failed": { exit: 1, meaning: "A service of the lab's LAN ended or never became ready." },
  "lan/image-broken": { exit: 1, meaning: "An OCI layout lacks a blob or holds one that does not fit." },
} as const satisfies Record<string, CatalogueEntry>;
