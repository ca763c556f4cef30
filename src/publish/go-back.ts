import { CastleError } from "../errors/castle-error.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { commitRelease, type ManifestCommit } from "./delivery/manifest-commit.ts";
import { pastInRegistry, proveRelease } from "./delivery/past-release.ts";
import type { DeliveryRun } from "./delivery/run.ts";
import { releaseHistory } from "./history.ts";

/**
 * A rollout that failed is answered with a commit forward to what was live before.
 * @returns the error to end with: the first one, and what became of going back
 */
export async function goBack(
  delivery: Delivery,
  run: DeliveryRun,
  { error, committed }: { readonly error: unknown; readonly committed: ManifestCommit },
): Promise<unknown> {
  if (!(error instanceof CastleError && /^publish\/(?:rollout|wrong-bytes)$/.test(error.code))) return error;
  const [tag = "", digest] = committed.previous?.split("@") ?? [];
  if (digest === undefined) return error;
  const told = (what: string) =>
    new CastleError(error.code, {
      message: `${error.message}\n${what}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
      details: error.details,
      exit: error.exitCode,
    });
  try {
    const { releases } = await releaseHistory(delivery);
    const past = releases.find((one) => one.tag === tag);
    const release = await pastInRegistry(delivery, { commit: past?.commit ?? tag, tag, digest, at: "" });
    const back = await run.phase({ phase: "gitops", step: "rollback", title: `Back to ${tag}` }, () =>
      commitRelease(delivery, { release, kind: "rollback", guard: async () => {} }).then((done) => ({
        ...done,
        detail: tag,
      })),
    );
    await proveRelease(delivery, run, { release, committed: back });
    return told(`Went back: ${tag} is live again and proven in every pod`);
  } catch (second) {
    const why = second instanceof CastleError ? second.message : String(second);
    return told(`Going back to ${tag} failed as well: ${why}`);
  }
}
