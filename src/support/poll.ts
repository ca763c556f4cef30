import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../errors/castle-error.ts";

export interface PollOptions {
  /** Milliseconds between the end of one look and the start of the next. */
  readonly every: number;
  /** Milliseconds after which nobody looks again. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  readonly onTimeout: () => Error;
}

/**
 * Looks until the answer is not undefined. Errors of the look itself end the wait: catch what is expected.
 * @throws CastleError command/interrupted
 */
export async function poll<T>(look: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const answer = await pollWithin(look, options);
  if (answer === undefined) throw options.onTimeout();
  return answer;
}

/**
 * The same where the time's end is no error: undefined.
 * @throws CastleError command/interrupted
 */
export async function pollWithin<T>(
  look: () => Promise<T | undefined>,
  { every, within, signal }: Omit<PollOptions, "onTimeout">,
): Promise<T | undefined> {
  const end = performance.now() + within;
  for (;;) {
    if (signal?.aborted === true) throw interrupted();
    const answer = await look();
    if (answer !== undefined || performance.now() >= end) return answer;
    await delay(every, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw interrupted();
    });
  }
}

function interrupted(): CastleError {
  return new CastleError("command/interrupted", { message: "the wait was interrupted" });
}
