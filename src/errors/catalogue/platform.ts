import type { CatalogueEntry } from "../exit-code.ts";

export const platformErrors = {
  "platform/hand-edited": {
    exit: 3,
    meaning: "Somebody changed castle's generated folder in the GitOps repository, and nothing was written.",
  },
  "platform/stalled": {
    exit: 1,
    meaning:
      "Something in the cluster cannot go on by itself: a pod without its image, a Service without an address.",
  },
  "platform/certificate-failed": {
    exit: 1,
    meaning: "The certificate authority did not issue a site's certificate.",
  },
  "platform/host-unreachable": {
    exit: 1,
    meaning: "A site's host does not lead to the castle's ingress.",
  },
  "platform/page-failed": { exit: 4, meaning: "A site was not served over HTTPS as it should be." },
  "platform/webhook-unknown": {
    exit: 2,
    meaning: "The spec leaves the address for alerts to the secret store, which has none.",
  },
  "platform/not-installed": {
    exit: 1,
    meaning: "The castle has no platform: its spec has no gitops, or it is not up.",
  },
} as const satisfies Record<string, CatalogueEntry>;
