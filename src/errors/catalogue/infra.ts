import type { CatalogueEntry } from "../exit-code.ts";

export const infraErrors = {
  "infra/terraform-missing": { exit: 1, meaning: "Neither terraform nor tofu is on PATH." },
  "infra/terraform-failed": {
    exit: 1,
    meaning: "Terraform reported an error that castle has no better name for.",
  },
  "infra/provider-unavailable": {
    exit: 1,
    meaning: "Terraform could not install the pinned Proxmox provider, or it differs from the lock file.",
  },
  "infra/state-locked": { exit: 1, meaning: "Another Terraform run holds the castle's state." },
  "infra/state-unreadable": { exit: 1, meaning: "The Terraform state file is damaged." },
  "infra/token-missing": {
    exit: 2,
    meaning: "No Proxmox API token was given: PROXMOX_VE_API_TOKEN is not set.",
  },
  "infra/token-rejected": { exit: 1, meaning: "Proxmox does not accept the API token." },
  "infra/permission-denied": { exit: 1, meaning: "The API token lacks a privilege." },
  "infra/endpoint-unreachable": { exit: 4, meaning: "The Proxmox API does not answer." },
  "infra/certificate-untrusted": { exit: 1, meaning: "The certificate of the Proxmox API is not trusted." },
  "infra/vm-id-taken": { exit: 1, meaning: "A VM id that the castle needs belongs to another machine." },
  "infra/image-rejected": {
    exit: 1,
    meaning: "Proxmox could not download or store the Talos image, or the storage does not hold `import`.",
  },
  "infra/image-factory": {
    exit: 1,
    meaning: "The Talos image factory did not accept the wanted extensions.",
  },
  "infra/api-failed": { exit: 1, meaning: "The Proxmox API answered with an error." },
  "infra/foreign-machine": {
    exit: 1,
    meaning: "A machine that would be changed or deleted does not carry the castle's tag.",
  },
  "infra/plan-refused": { exit: 1, meaning: "The plan would destroy or recreate a control plane." },
  "infra/preflight": {
    exit: 1,
    meaning: "The hypervisor is not ready for the castle; each fault is listed.",
  },
} as const satisfies Record<string, CatalogueEntry>;
