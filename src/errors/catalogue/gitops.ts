import type { CatalogueEntry } from "../exit-code.ts";

export const gitopsErrors = {
  "gitops/unreachable": { exit: 4, meaning: "The GitOps repository's server does not answer." },
  "gitops/untrusted": {
    exit: 1,
    meaning: "The GitOps repository's server is not the one that is trusted: certificate or SSH host key.",
  },
  "gitops/credentials": { exit: 1, meaning: "The GitOps repository refuses the credentials." },
  "gitops/not-a-repository": {
    exit: 1,
    meaning: "There is no Git repository, or none that these credentials may see, at the GitOps address.",
  },
  "gitops/remote-invalid": { exit: 2, meaning: "The GitOps repository's address or branch cannot be used." },
  "gitops/branch-missing": {
    exit: 1,
    meaning: "The GitOps repository has commits, but not the branch that the spec names.",
  },
  "gitops/declined": {
    exit: 1,
    meaning: "The GitOps repository's server declined the push: a protected branch or a hook.",
  },
  "gitops/race": {
    exit: 1,
    meaning: "Others pushed to the GitOps branch faster than castle, again and again.",
  },
  "gitops/path-taken": {
    exit: 1,
    meaning: "Something else lies in the GitOps repository where castle's folder should be.",
  },
  "gitops/image-missing": {
    exit: 1,
    meaning: "No manifest in the GitOps repository names the site's image.",
  },
  "gitops/image-ambiguous": {
    exit: 1,
    meaning: "Several places in the GitOps repository name the site's image, and castle does not choose.",
  },
  "gitops/image-unwritable": {
    exit: 1,
    meaning:
      "The place that names the image is an alias, a template or the like, which castle does not write to.",
  },
  "gitops/failed": { exit: 1, meaning: "Git failed in a way that castle has no name for." },
} as const satisfies Record<string, CatalogueEntry>;
