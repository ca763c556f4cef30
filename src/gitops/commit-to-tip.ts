import { CastleError } from "../errors/castle-error.ts";
import type { Change, Repository, Tip } from "./repository.ts";

export type Outcome =
  | { readonly kind: "pushed"; readonly commit: string; readonly parent: string | undefined }
  /** The branch is as wanted already; `commit` undefined: it is empty, and nothing was wanted. */
  | { readonly kind: "unchanged"; readonly commit: string | undefined }
  | { readonly kind: "refused"; readonly reason: CastleError };

/** What is to be done on a tip; `stop` ends the attempt with an answer of the planner's own. */
export type Plan<Stop> =
  | { readonly kind: "change"; readonly change: Change }
  | { readonly kind: "unchanged" }
  | { readonly kind: "stop"; readonly answer: Stop };

const ATTEMPTS = 10;

/**
 * Compare and swap: plans on the fetched tip and pushes, if the branch is still there; otherwise plans again on the new
 * tip, ten times at most. Run again after whatever interruption, it converges.
 * @param plan is asked for every tip anew, and must not remember earlier ones
 * @param seen the tip of a moment ago, which saves asking for it: whether it still is one, the push tells
 * @throws CastleError gitops/unreachable, gitops/credentials … and what `plan` throws
 */
export async function commitToTip<Stop = never>(
  repository: Repository,
  plan: (tip: Tip) => Promise<Plan<Stop>>,
  seen?: Tip,
): Promise<Outcome | Stop> {
  for (let attempt = seen === undefined ? 1 : 0; attempt <= ATTEMPTS; attempt += 1) {
    const isSeen = attempt === 0 && seen !== undefined;
    const tip = isSeen ? seen : await repository.fetchTip();
    const planned = await plan(tip);
    if (planned.kind === "stop") return planned.answer;
    const commit = planned.kind === "unchanged" ? undefined : await repository.commit(tip, planned.change);
    if (commit === undefined) {
      // No push would tell whether the branch is still there.
      if (isSeen) continue;
      return { kind: "unchanged", commit: tip.commit };
    }
    const answer = await pushOrLook(repository, tip, commit);
    switch (answer.kind) {
      case "accepted":
        return { kind: "pushed", commit, parent: tip.commit };
      case "declined":
        return { kind: "refused", reason: answer.reason };
      case "behind":
        break;
      default:
        answer satisfies never;
    }
  }
  const { url, branch } = repository.remote;
  return {
    kind: "refused",
    reason: new CastleError("gitops/race", {
      message: `Others pushed to ${url} (branch ${branch}) between castle's fetch and push, ${ATTEMPTS} times in a row`,
      hint: `run the command again when the branch is calm: git log ${branch}`,
      details: { remote: url, branch, attempts: ATTEMPTS },
    }),
  };
}

/** A connection that breaks after the server moved the branch looks like a failure; the branch knows better. */
async function pushOrLook(repository: Repository, tip: Tip, commit: string) {
  try {
    return await repository.push(tip, commit);
  } catch (error) {
    if (!(error instanceof CastleError && error.code === "gitops/unreachable")) throw error;
    const now = await repository.fetchTip().catch(() => undefined);
    if (now?.commit === commit) return { kind: "accepted" } as const;
    throw error;
  }
}
