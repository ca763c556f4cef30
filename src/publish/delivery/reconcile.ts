import { CastleError } from "../../errors/castle-error.ts";
import { revisionCommit } from "../../gitops/flux-revision.ts";
import { poll } from "../../support/poll.ts";
import type { Delivery, DeliveryCluster } from "./delivery.ts";
import type { FluxFollower } from "./flux-follower.ts";
import { title } from "./flux-follower.ts";
import {
  type FluxKustomization,
  kustomizationPath,
  readKustomization,
  readSource,
  readyCondition,
  requestReconcile,
  sourcePath,
} from "./flux-objects.ts";
import type { RevisionJudge } from "./revision.ts";

const EVERY = 100;
/** Milliseconds in which a Kustomization takes a new revision by itself; asked as well, it would apply it twice. */
const UNASKED = 1_000;
/** Milliseconds that Flux has to fetch and to apply, and for which a no of its is not believed. */
const WITHIN = 60_000;
const PATIENCE = 5_000;

/**
 * Asks Flux to fetch at once and waits until what it has is ours: a handled request alone says nothing about which
 * revision was fetched.
 * @throws CastleError publish/flux with Flux' own words, publish/superseded, kubernetes/unreachable
 */
export async function fetchedByFlux(
  { now, signal }: Delivery,
  { api }: DeliveryCluster,
  { source }: FluxFollower,
  judge: RevisionJudge,
): Promise<void> {
  const path = sourcePath(source);
  const standing = await readSource(api, path, signal);
  if (await judge.holds(revisionCommit(standing.status?.artifact?.revision))) return;
  await requestReconcile(api, path, now(), signal);
  let last = "it has not said anything yet";
  const began = performance.now();
  await poll(
    async () => {
      const { spec, status } = await readSource(api, path, signal);
      if (await judge.holds(revisionCommit(status?.artifact?.revision))) return true;
      const ready = readyCondition(status?.conditions);
      last = ready === undefined ? last : `${ready.reason ?? ""}: ${ready.message ?? ""}`;
      if (spec.suspend === true) throw stuck(`${title(source)} was suspended meanwhile`);
      if (ready?.status === "False" && performance.now() - began > PATIENCE) {
        throw stuck(`${title(source)} cannot fetch the commit: ${last}`);
      }
      return undefined;
    },
    {
      every: EVERY,
      within: WITHIN,
      signal,
      onTimeout: () => stuck(`${title(source)} has not fetched the commit: ${last}`),
    },
  );
}

/**
 * Waits until Flux has taken our revision to apply. Not until it calls it applied: that waits for every object's
 * health, which the rollout's own watch sees sooner.
 */
export async function takenByFlux(
  { now, signal }: Delivery,
  { api }: DeliveryCluster,
  { kustomizations }: FluxFollower,
  judge: RevisionJudge,
): Promise<void> {
  await Promise.all(
    kustomizations.map(async (one) => {
      const path = kustomizationPath(one);
      const began = performance.now();
      let asked = false;
      let last = "it has not said anything yet";
      await poll(
        async () => {
          const found = await readKustomization(api, path, signal);
          if (await isTaken(found, judge)) return true;
          if (!asked && performance.now() - began > UNASKED) {
            asked = true;
            await requestReconcile(api, path, now(), signal);
          }
          last = wordsOf(found) ?? last;
          if (found.spec.suspend === true) throw stuck(`${title(one)} was suspended meanwhile`);
          return undefined;
        },
        {
          every: EVERY,
          within: WITHIN,
          signal,
          onTimeout: () => stuck(`${title(one)} has not applied the commit: ${last}`),
        },
      );
    }),
  );
}

async function isTaken(found: FluxKustomization, judge: RevisionJudge): Promise<boolean> {
  const { lastAppliedRevision, lastAttemptedRevision, conditions } = found.status ?? {};
  if (await judge.holds(revisionCommit(lastAppliedRevision))) return true;
  if (!(await judge.holds(revisionCommit(lastAttemptedRevision)))) return false;
  const ready = readyCondition(conditions);
  if (ready?.status === "False" && /Build|Reconciliation|Artifact|Prune/.test(ready.reason ?? "")) {
    throw stuck(`${title(found)} cannot apply the commit: ${wordsOf(found)}`);
  }
  return true;
}

function wordsOf({ status }: FluxKustomization): string | undefined {
  const ready = readyCondition(status?.conditions);
  return ready === undefined ? undefined : `${ready.reason ?? ""}: ${ready.message ?? ""}`;
}

function stuck(message: string): CastleError {
  return new CastleError("publish/flux", {
    message,
    hint: "kubectl -n flux-system get gitrepositories,kustomizations",
  });
}
