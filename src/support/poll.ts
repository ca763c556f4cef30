import { setTimeout as delay } from "node:timers/promises";

export interface PollOptions {
  /** Milliseconds between the end of one look and the start of the next. */
  readonly every: number;
  /** Milliseconds after which `onTimeout`'s error is thrown. */
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  readonly onTimeout: () => Error;
}

/** Looks until the answer is not undefined. Errors of the look itself end the wait: catch what is expected. */
export async function poll<T>(look: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const end = performance.now() + options.within;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await look();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) throw options.onTimeout();
    await delay(options.every, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
