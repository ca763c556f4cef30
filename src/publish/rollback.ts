import { CastleError } from "../errors/castle-error.ts";
import type { Delivery } from "./delivery/delivery.ts";
import type { Tip } from "../gitops/repository.ts";
import { commitPhase } from "./delivery/commit-phase.ts";
import { findFollower, type FluxFollower, fluxObjects } from "./delivery/flux-follower.ts";
import { NO_CLUSTER } from "./delivery/phase.ts";
import { pastInRegistry, proveRelease } from "./delivery/past-release.ts";
import { type Receipt, receiptOf } from "./delivery/receipt.ts";
import { DeliveryRun } from "./delivery/run.ts";
import { Standing } from "./delivery/standing.ts";
import { type PastRelease, type ReleaseHistory, releaseHistory } from "./history.ts";

/**
 * Goes back to an earlier release: nothing is built and no byte is pushed; the manifests get a commit more.
 * @param digits of the site's commit; undefined: the release before the live one
 * @param seen the manifests' last commit as of a moment ago; undefined: it has to be asked for
 * @throws CastleError publish/unknown-release, publish/digest-changed, and all that a publication throws
 */
export async function rollback(delivery: Delivery, digits: string | undefined, seen?: Tip): Promise<Receipt> {
  const run = new DeliveryRun(delivery, new Standing(digits ?? "the release before"));
  const following = followerOf(delivery);
  const target = await run.phase({ phase: "source", step: "history", title: "History" }, async () => {
    const history = await releaseHistory(delivery, seen).catch((error: unknown) => {
      throw run.failed(error, "gitops");
    });
    run.standing.live = history.live.tag;
    const past = choose(history, digits);
    const release = await pastInRegistry(delivery, past).catch((error: unknown) => {
      throw run.failed(error, "registry");
    });
    return { release, seen: history, detail: release.tag };
  });
  const { release, seen: history } = target;
  const committed = await commitPhase(delivery, run, {
    release,
    kind: "rollback",
    guard: async () => {},
    seen: history,
  });
  const { cluster } = delivery;
  if (cluster === undefined) {
    run.skip({ phase: "rollout", step: "rollout", title: "Rollout" }, NO_CLUSTER);
  }
  const proof =
    cluster === undefined
      ? undefined
      : await proveRelease(delivery, run, { release, committed, follower: await following(committed.file) });
  return receiptOf(delivery, run, { action: "rollback", release, committed, proof });
}

/** Asked for while the history is read. Undefined: whoever needs it asks again, and says what is wrong. */
function followerOf({ cluster, manifests, signal }: Delivery) {
  const asking = cluster === undefined ? undefined : fluxObjects(cluster, signal);
  const objects = asking?.catch(() => undefined);
  return async (file: string): Promise<FluxFollower | undefined> => {
    const found = await objects;
    try {
      return found === undefined ? undefined : findFollower(found, manifests.repository.remote, file);
    } catch {
      return undefined;
    }
  };
}

function choose({ releases, live }: ReleaseHistory, digits: string | undefined): PastRelease {
  const current = releases.findIndex(({ tag }) => tag === live.tag);
  if (digits === undefined) {
    const before = current > 0 ? releases[current - 1] : undefined;
    if (before !== undefined) return before;
    throw unknown("There is no release before the live one", releases);
  }
  const wanted = digits.toLowerCase();
  const found = releases.filter(({ commit }) => commit.startsWith(wanted) || wanted.startsWith(commit));
  const [match] = found;
  if (match === undefined) throw unknown(`The manifests' history has no release of ${digits}`, releases);
  if (found.length > 1 && new Set(found.map(({ commit }) => commit.slice(0, 7))).size > 1) {
    throw unknown(`${digits} means ${found.length} releases`, found);
  }
  // The same commit under an old and a new tag: the newer knows its digest.
  return found.at(-1) ?? match;
}

function unknown(what: string, releases: readonly PastRelease[]): CastleError {
  const list = releases.slice(-8).map(({ tag, at }) => `  ${tag} ${at}`);
  return new CastleError("publish/unknown-release", {
    message: `${what}${list.length === 0 ? "" : "; it has:"}${list.map((line) => `\n${line}`).join("")}`,
    hint: "castle releases",
  });
}
