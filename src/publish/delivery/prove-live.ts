import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import type { Delivery, DeliveryCluster } from "./delivery.ts";
import { type FluxFollower, findFollower, fluxObjects } from "./flux-follower.ts";
import type { ManifestCommit } from "./manifest-commit.ts";
import { type PodProof, type PublicProof, provePods, provePublic } from "./proof.ts";
import { fetchedByFlux, takenByFlux } from "./reconcile.ts";
import type { ReleaseFacts } from "./release-facts.ts";
import { RevisionJudge } from "./revision.ts";
import { type RolledOut, rolledOut } from "./rollout.ts";
import type { DeliveryRun } from "./run.ts";

const EVERY = 500;

export interface Proof {
  readonly pods: readonly PodProof[];
  readonly public: PublicProof | undefined;
}

/**
 * From the commit in the manifests to what visitors get: Flux, the rollout, every pod, the site's address.
 * @throws CastleError with the exit code of rollout or proof
 */
export async function proveLive(
  delivery: Delivery,
  cluster: DeliveryCluster,
  run: DeliveryRun,
  {
    facts,
    committed,
    follower,
  }: {
    readonly facts: () => Promise<ReleaseFacts>;
    readonly committed: ManifestCommit & {
      readonly release: Pick<ReleaseFacts, "commit" | "tag" | "digest">;
    };
    readonly follower: FluxFollower | undefined;
  },
): Promise<Proof> {
  const { release, commit, file, place } = committed;
  // Asked for while the cluster is busy: the registry knows the release's files.
  const known = facts();
  known.catch(() => {});
  let rolled: readonly RolledOut[] = [];
  await run.phase({ phase: "rollout", step: "rollout", title: "Rollout" }, async () => {
    const judge = new RevisionJudge(delivery, release, commit);
    rolled = await reachable(async () => {
      const found =
        follower ??
        findFollower(await fluxObjects(cluster, delivery.signal), delivery.manifests.repository.remote, file);
      await fetchedByFlux(delivery, cluster, found, judge);
      await takenByFlux(delivery, cluster, found, judge);
      return rolledOut(delivery, cluster, { release, place });
    }, delivery.signal);
    const pods = rolled.reduce((sum, one) => sum + one.pods.length, 0);
    return { detail: `${pods} pods` };
  });
  return run.phase({ phase: "proof", step: "proof", title: "Proof" }, async () => {
    const found = await known;
    const [pods, visited] = await Promise.all([
      provePods(delivery, cluster, rolled, found),
      delivery.visit === undefined ? undefined : provePublic({ ...delivery, visit: delivery.visit }, found),
    ]);
    const where = visited === undefined ? "" : `, ${visited.url}`;
    return { pods, public: visited, detail: `${pods.length} pods${where}` };
  });
}

/** Milliseconds for which a silent API server is only a node that restarts or an address that moves. */
const SILENCE = 30_000;

/** A cluster that goes away now is no failure of the release: that it is committed is what counts. */
async function reachable<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let last: CastleError | undefined;
  const answer = await poll(
    async () => {
      try {
        return { found: await work() };
      } catch (error) {
        last = silent(error);
        if (last === undefined) throw error;
        if (last.code === "kubernetes/refused") throw unverified(last);
        return undefined;
      }
    },
    { every: EVERY, within: SILENCE, signal, onTimeout: () => unverified(last) },
  );
  return answer.found;
}

function silent(error: unknown): CastleError | undefined {
  if (!(error instanceof CastleError)) return undefined;
  return /^kubernetes\/(?:unreachable|refused)$/.test(error.code) ? error : undefined;
}

function unverified(cause: CastleError | undefined): CastleError {
  return new CastleError("publish/unverified", {
    message: `The release is committed and nobody could see what became of it: ${cause?.message ?? "the cluster is silent"}`,
    hint: "castle publish --resume only proves, as soon as the cluster answers",
    cause,
  });
}
