import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  aliases,
  fileFlag,
  outputFlag,
  timeoutFlag,
  off,
  sitePositional,
} from "../flags.ts";

interface TargetFlags extends FileFlags, OutputFlags {
  readonly insecureRegistry?: string;
  readonly timeout: number;
}

interface PublishFlags extends TargetFlags {
  readonly plan: boolean;
  readonly resume: boolean;
  readonly lock: boolean;
  readonly dockerfile: boolean;
  readonly autoRollback: boolean;
  readonly allowFewerPages: boolean;
}

const targetFlags = {
  ...fileFlag,
  ...outputFlag,
  ...timeoutFlag,
  insecureRegistry: {
    kind: "parsed",
    parse: String,
    brief: "Registries that speak plain HTTP, as HOST[:PORT], with commas between",
    placeholder: "HOSTS",
    optional: true,
  },
} as const;

export const publishCommand = buildCommand({
  docs: {
    brief: "Publish a site from its commit, and prove it in every pod",
    fullDescription:
      "Builds the commit of the site's repository, pushes the image under a tag of its own, commits it to the GitOps repository, and waits until every pod and the site's address serve its bytes. Run again after whatever interruption, it goes on. The file is a castle.yaml, or one with gitops and sites alone; then KUBECONFIG names the cluster, and without one nothing is proven. Exit codes: 0 live, 10 the source or Flux is not ready, 20 the build failed, 30 the registry, 40 the GitOps repository, 50 the rollout, 60 the proof; --plan ends with 3 where anything would change.",
  },
  parameters: {
    positional: { kind: "tuple", parameters: [sitePositional] },
    flags: {
      ...targetFlags,
      plan: off("Build and compare with what is live; change nothing"),
      resume: off("Only prove what the GitOps repository names"),
      lock: off("Pin base and Hugo of today in the site's castle.lock, and end"),
      dockerfile: off("Write a Dockerfile and .dockerignore that make the same image, and end"),
      autoRollback: off("Where the rollout fails, commit what was live before"),
      allowFewerPages: off("The site is meant to have less than half of its pages"),
    },
    aliases,
  },
  async func(this: Context, flags: PublishFlags, site?: string) {
    await answer(this, flags.output, async (report) => {
      const { lockSite, planSite, publishSite, resumeSite } = await import("../publish-command.ts");
      const choice = { ...flags, ...targetOf(flags, site) };
      if (flags.lock) return lockSite(this, choice);
      if (flags.dockerfile) {
        const { writeDockerfile } = await import("../dockerfile-command.ts");
        return writeDockerfile(this, choice);
      }
      if (flags.plan) return planSite(this, report, choice);
      if (flags.resume) return resumeSite(this, report, choice);
      return publishSite(this, report, choice);
    });
  },
});

export const rollbackCommand = buildCommand({
  docs: {
    brief: "Go back to an earlier release of a site, without building anything",
    fullDescription:
      "Commits an earlier release to the GitOps repository and proves it as castle publish does. The release is found by digits of its commit in that repository's history, and its image has to be the very one that the history names. Without a commit: the release before the live one. Exit codes are those of castle publish.",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        sitePositional,
        {
          brief: "Digits of the site's commit",
          placeholder: "COMMIT",
          parse: String,
          optional: true,
        },
      ],
    },
    flags: targetFlags,
    aliases,
  },
  async func(this: Context, flags: TargetFlags, site?: string, commit?: string) {
    await answer(this, flags.output, async (report) => {
      const { rollbackSite } = await import("../rollback-command.ts");
      // One word that looks like a commit is one: a file with a single site needs no name.
      const isCommit = commit === undefined && /^[0-9a-f]{7,40}$/.test(site ?? "");
      const target = targetOf(flags, isCommit ? undefined : site);
      return rollbackSite(this, report, {
        timeout: flags.timeout,
        ...target,
        commit: isCommit ? site : commit,
      });
    });
  },
});

export const releasesCommand = buildCommand({
  docs: {
    brief: "Show a site's releases: commit, digest, when, live or not",
    fullDescription:
      "Reads the GitOps repository's history and the registry: which release is live, which a rollback can go to, and which image was written over or is gone.",
  },
  parameters: {
    positional: { kind: "tuple", parameters: [sitePositional] },
    flags: targetFlags,
    aliases,
  },
  async func(this: Context, flags: TargetFlags, site?: string) {
    await answer(this, flags.output, async () => {
      const { siteReleases } = await import("../rollback-command.ts");
      return siteReleases(this, targetOf(flags, site));
    });
  },
});

function targetOf({ file, insecureRegistry }: TargetFlags, site: string | undefined) {
  return { file, site, insecure: insecureRegistry?.split(",").map((host) => host.trim()) ?? [] };
}
