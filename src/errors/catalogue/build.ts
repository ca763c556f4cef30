import type { CatalogueEntry } from "../exit-code.ts";

/** From the exported commit to the packed image. Nothing has left the machine yet. */
export const buildErrors = {
  "build/hugo-missing": { exit: 20, meaning: "There is no Hugo of the version that castle.lock names." },
  "build/failed": { exit: 20, meaning: "The site's program ended with an error, or Hugo warned." },
  "build/timed-out": { exit: 20, meaning: "The site's program did not finish in its time." },
  "build/no-pages": { exit: 20, meaning: "The site's program left no page." },
  "build/pages-halved": {
    exit: 20,
    meaning: "The site would have less than half of the pages that are live.",
  },
  "build/unpublished-page": { exit: 20, meaning: "A draft, a future or an expired page is in the output." },
  "build/secret": { exit: 20, meaning: "A file that would be published holds or is a secret." },
  "build/hidden-file": { exit: 20, meaning: "A hidden file would be published." },
  "build/unsafe-file": {
    exit: 20,
    meaning: "A link that leaves the site, a device or a setuid file would be published.",
  },
  "build/case-collision": {
    exit: 20,
    meaning: "Two files that would be published differ in upper and lower case only.",
  },
  "build/machine-path": {
    exit: 20,
    meaning: "The output names a folder of this machine, so it would differ on every other.",
  },
  "build/base": { exit: 20, meaning: "The base image is not one that castle can put a site on." },
} as const satisfies Record<string, CatalogueEntry>;
