import { CastleError } from "../errors/castle-error.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { proveRelease } from "./delivery/past-release.ts";
import { type Receipt, receiptOf } from "./delivery/receipt.ts";
import { DeliveryRun } from "./delivery/run.ts";
import { Standing } from "./delivery/standing.ts";
import { releaseHistory } from "./history.ts";

/**
 * Proves what the manifests name now, and changes nothing.
 * @throws CastleError as a publication does from its rollout on
 */
export async function resume(delivery: Delivery): Promise<Receipt> {
  const run = new DeliveryRun(delivery, new Standing("what the manifests name"));
  const { release, committed } = await run.phase(
    { phase: "gitops", step: "gitops", title: "GitOps repository" },
    async () => {
      const { tip, live, releases } = await releaseHistory(delivery);
      const { tag, digest, commit } = live;
      if (digest === undefined || tip.commit === undefined) {
        throw new CastleError("publish/unknown-release", {
          message: `The manifests name no release of ${delivery.site.name} by its digest: there is nothing to prove`,
          hint: "castle publish",
        });
      }
      const past = releases.find((one) => one.tag === tag);
      const name = { commit: past?.commit ?? commit ?? "", tag: tag ?? "", digest };
      const place = {
        commit: tip.commit,
        previous: undefined,
        pushed: false,
        file: live.place.file,
        place: live.place,
      };
      return { release: name, committed: place, detail: name.tag };
    },
  );
  run.standing.committed = committed.commit;
  const { cluster } = delivery;
  if (cluster === undefined) {
    throw run.failed(
      new CastleError("publish/unverified", {
        message: "There is no kubeconfig: nobody can be asked",
        hint: "set KUBECONFIG, or run it where the castle's home is",
      }),
      "rollout",
    );
  }
  const proof = await proveRelease(delivery, run, { release, committed });
  return receiptOf(delivery, run, { action: "resume", release, committed, proof });
}
