import type { CatalogueEntry } from "../exit-code.ts";

/** The release on its way: registry, GitOps repository, cluster, visitors. */
export const publishErrors = {
  "publish/no-site": {
    exit: 2,
    meaning: "The spec has no site of that name, or several and none was named.",
  },
  "publish/ancestor": { exit: 10, meaning: "The commit comes before the live one: that is a rollback." },
  "publish/diverged": { exit: 10, meaning: "The live release is not contained in the commit." },
  "publish/flux": {
    exit: 10,
    meaning: "Flux does not follow the GitOps repository, is suspended or says that it fails.",
  },
  "publish/unknown-release": {
    exit: 10,
    meaning: "The GitOps repository's history has no such release of the site.",
  },
  "publish/tag-taken": {
    exit: 30,
    meaning: "The registry has another image under the release's tag, which is never overwritten.",
  },
  "publish/digest-changed": {
    exit: 30,
    meaning: "The registry's image is not the one that the GitOps repository's history names.",
  },
  "publish/static-tag": { exit: 40, meaning: "A manifest names the image by a tag that moves." },
  "publish/superseded": { exit: 50, meaning: "Somebody committed another release after this one." },
  "publish/rollout": { exit: 50, meaning: "The cluster does not roll the release out, and says why." },
  "publish/unverified": {
    exit: 50,
    meaning: "The release is committed, and the cluster could not be asked about it.",
  },
  "publish/wrong-bytes": {
    exit: 60,
    meaning: "A pod, or the way to it, serves something else than the release.",
  },
} as const satisfies Record<string, CatalogueEntry>;
