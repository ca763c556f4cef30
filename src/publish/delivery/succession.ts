import { CastleError } from "../../errors/castle-error.ts";
import type { Ancestry } from "./delivery.ts";

/**
 * A publication only ever goes forward: what is live has to be a commit that the new one contains.
 * @param live digits of the live release's commit; undefined: no release of this site
 * @throws CastleError publish/ancestor, publish/diverged
 */
export async function refuseBackwards(
  commit: string,
  live: string | undefined,
  ancestry: Ancestry,
): Promise<void> {
  if (live === undefined || commit.startsWith(live)) return;
  if ((await ancestry(commit, live)) === "ancestor") {
    throw new CastleError("publish/ancestor", {
      message: `${commit.slice(0, 12)} comes before ${live}, which is live: that is a rollback`,
      hint: `castle rollback SITE ${commit.slice(0, 12)}, which builds nothing`,
      details: { commit, live },
    });
  }
  const way = await ancestry(live, commit);
  if (way === "ancestor") return;
  throw new CastleError("publish/diverged", {
    message:
      way === "unknown"
        ? `${live} is live, and the site's repository does not know that commit: publishing ${commit.slice(0, 12)} might undo it`
        : `${live} is live and is not contained in ${commit.slice(0, 12)}: publishing would undo it`,
    hint:
      way === "unknown"
        ? "git fetch --all in the site's repository; if that commit is gone for good: castle rollback to a release that is known, then publish"
        : `git merge ${live}, push, and publish again`,
    details: { commit, live },
  });
}
