import { setMaxListeners } from "node:events";
import type { CastleRun } from "../castle-run.ts";

/** A run whose parts end together. */
export interface JoinedRun {
  /** The run with a signal that also fires when one of its parts fails. */
  readonly run: CastleRun;
  /** Waits for all; the first that fails ends the others, which would otherwise wait for what never comes. */
  readonly together: (...work: readonly Promise<unknown>[]) => Promise<void>;
}

export function joinedRun(given: CastleRun): JoinedRun {
  const failed = new AbortController();
  const signal = AbortSignal.any([given.signal, failed.signal]);
  // Every wait of every node listens to it; that is many, and no leak.
  setMaxListeners(0, signal);
  return {
    run: { ...given, signal },
    together: async (...work) => {
      try {
        await Promise.all(work);
      } catch (error) {
        failed.abort();
        await Promise.allSettled(work);
        throw error;
      }
    },
  };
}
