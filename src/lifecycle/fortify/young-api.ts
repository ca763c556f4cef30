import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import type { CastleRun } from "../castle-run.ts";

const EVERY = 500;

/** A young API server comes and goes while its etcd gets its members: work that it leaves is begun anew. */
export async function onYoungApi<T>(
  { signal, patience: within }: Pick<CastleRun, "signal" | "patience">,
  work: () => Promise<T>,
): Promise<T> {
  let last = new CastleError("kubernetes/unreachable", { message: "The Kubernetes API was never asked" });
  const { done } = await poll(
    async () => {
      try {
        return { done: await work() };
      } catch (error) {
        if (!(error instanceof CastleError) || error.code !== "kubernetes/unreachable") throw error;
        last = error;
        return undefined;
      }
    },
    { every: EVERY, within, signal, onTimeout: () => last },
  );
  return done;
}
