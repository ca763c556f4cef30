import type { Delivery } from "./delivery.ts";
import { type CommitWish, commitRelease, type ManifestCommit } from "./manifest-commit.ts";
import type { DeliveryRun } from "./run.ts";

/** The commit in the manifests as a phase of the run, which knows from then on what is committed. */
export async function commitPhase(
  delivery: Delivery,
  run: DeliveryRun,
  wish: CommitWish,
): Promise<ManifestCommit> {
  const committed = await run.phase(
    { phase: "gitops", step: "gitops", title: "GitOps repository" },
    async () => {
      const done = await commitRelease(delivery, wish);
      return {
        ...done,
        detail: done.pushed ? `commit ${done.commit.slice(0, 12)}` : "names the release already",
      };
    },
  );
  run.standing.committed = committed.commit;
  return committed;
}
