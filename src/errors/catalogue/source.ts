import type { CatalogueEntry } from "../exit-code.ts";

/** The site's repository, before anything is built from it. */
export const sourceErrors = {
  "source/not-a-repository": {
    exit: 10,
    meaning: "A site's folder is not the work tree of a Git repository.",
  },
  "source/dirty": { exit: 10, meaning: "The site's work tree has changes that no commit has." },
  "source/operation-under-way": {
    exit: 10,
    meaning: "A merge, rebase or another operation of Git is not finished in the site's repository.",
  },
  "source/no-commit": { exit: 10, meaning: "The site's repository has no commit yet." },
  "source/detached": { exit: 10, meaning: "The site's work tree is on no branch." },
  "source/no-upstream": { exit: 10, meaning: "The site's branch follows no branch of a remote." },
  "source/unpushed": { exit: 10, meaning: "The commit to publish is not on the site's remote." },
  "source/remote": {
    exit: 10,
    meaning: "The remote of the site's branch cannot be asked whether it has the commit.",
  },
  "source/shallow": { exit: 10, meaning: "The site's repository lacks its older commits." },
  "source/submodule-missing": { exit: 10, meaning: "A submodule's commit is not there." },
  "source/lfs-missing": { exit: 10, meaning: "The content of a file in Git LFS is not there." },
  "source/failed": { exit: 10, meaning: "Git failed on the site's repository in a way that has no name." },
  "source/lock-missing": { exit: 10, meaning: "The commit has no castle.lock." },
  "source/lock-invalid": { exit: 10, meaning: "The castle.lock of the commit has faults." },
} as const satisfies Record<string, CatalogueEntry>;
