import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../errors/castle-error.ts";

export interface PollOptions {
  /** Milliseconds between the end of one look and the start of the next. */
  readonly every: number;
  /** Milliseconds after which `onTimeout`'s error is thrown. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  readonly onTimeout: () => Error;
}

/**
 * Looks until the answer is not undefined. Errors of the look itself end the wait: catch what is expected.
 * @throws CastleError command/interrupted
 */
export async function poll<T>(look: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const end = performance.now() + options.within;
  for (;;) {
    if (options.signal?.aborted === true) throw interrupted();
    const answer = await look();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) throw options.onTimeout();
    await delay(
      options.every,
      undefined,
      options.signal === undefined ? {} : { signal: options.signal },
    ).catch(() => {
      throw interrupted();
    });
  }
}

function interrupted(): CastleError {
  return new CastleError("command/interrupted", { message: "the wait was interrupted" });
}
