import type { CatalogueEntry } from "../exit-code.ts";

export const imageErrors = {
  "image/changed-while-read": { exit: 1, meaning: "A file changed while it was being put into an archive." },
  "image/unsupported-file": {
    exit: 1,
    meaning: "A device, socket or pipe lies where an archive is made from.",
  },
  "image/layout-broken": {
    exit: 1,
    meaning: "An image on disk is incomplete or its content has the wrong hash.",
  },
  "image/reference-invalid": { exit: 2, meaning: "An image reference is not registry/repository:tag." },
  "image/registry-unreachable": { exit: 4, meaning: "An image registry does not answer." },
  "image/registry-refused": { exit: 1, meaning: "An image registry answered with an error." },
  "image/registry-busy": {
    exit: 4,
    meaning: "An image registry is too busy, or fails by itself, again and again.",
  },
  "image/credentials": {
    exit: 1,
    meaning: "A login file for registries, or a credential helper, is broken.",
  },
  "image/not-found": { exit: 1, meaning: "The registry does not have that image." },
  "image/digest-mismatch": {
    exit: 1,
    meaning: "A registry sent content whose hash is not the one asked for.",
  },
} as const satisfies Record<string, CatalogueEntry>;
