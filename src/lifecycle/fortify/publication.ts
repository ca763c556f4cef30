import { CastleError } from "../../errors/castle-error.ts";
import { type HandEdited, publishFolder } from "../../gitops/generated-folder.ts";
import { Repository } from "../../gitops/repository.ts";
import type { CastleRun } from "../castle-run.ts";
import type { PlatformGround } from "../ground/ground.ts";
import type { Blueprint } from "./blueprint.ts";
import type { GitAccess } from "./git-access.ts";

export interface Publication {
  /** The branch's tip with the platform in it. */
  readonly commit: string | undefined;
  readonly pushed: boolean;
}

/** The castle's repository, through a copy in its home. */
export function openRepository(
  { castle, home, signal }: Pick<CastleRun, "castle" | "home" | "signal">,
  environment: Readonly<Record<string, string | undefined>>,
  ground: PlatformGround,
  { credentials }: GitAccess,
): Promise<Repository> {
  return Repository.open({
    url: ground.repository.outside,
    branch: castle.gitops?.branch ?? "main",
    folder: home.gitops,
    environment,
    author: { name: "castle", email: `castle@${castle.name}.lan` },
    credentials,
    signal,
  });
}

/**
 * Brings the generated folder of the repository to what the spec says, and nothing else.
 * @throws CastleError platform/hand-edited, gitops/…
 */
export async function publishPlatform(
  { castle }: Pick<CastleRun, "castle">,
  repository: Repository,
  { folder }: Blueprint,
  overwrite: boolean,
): Promise<Publication> {
  const outcome = await publishFolder(repository, folder, {
    message: `castle ${castle.name}: platform as its spec says\n`,
    overwrite,
  });
  switch (outcome.kind) {
    case "pushed":
      return { commit: outcome.commit, pushed: true };
    case "unchanged":
      return { commit: outcome.commit, pushed: false };
    case "refused":
      throw outcome.reason;
    case "handEdited":
      throw handEdited(outcome, repository, folder.path);
    default:
      return outcome satisfies never;
  }
}

function handEdited({ edits, diff }: HandEdited, { remote }: Repository, folder: string): CastleError {
  const list = edits.map(({ path, change }) => `  ${path} was ${change}`);
  return new CastleError("platform/hand-edited", {
    message: `${folder} in ${remote.url} (branch ${remote.branch}) was changed by hand, and nothing was written:\n${[...list, diff].join("\n").trimEnd()}`,
    hint: `move the changes to ${folder.replace(/[^/]*$/, "overrides")}, or write over them: castle up --yes`,
    details: { remote: remote.url, branch: remote.branch, edits },
  });
}
