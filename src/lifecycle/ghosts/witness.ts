import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../../errors/castle-error.ts";

/** Milliseconds that all questions of one look may take together; a verdict is there after five seconds. */
const PATIENCE = 3_700;
/** Milliseconds that a question is given at least, however late it is asked. */
const SHORTEST = 300;

/** The time that one look has: whoever does not answer within it is silent, which is an answer too. */
export class Patience {
  readonly signal: AbortSignal;
  readonly #end = performance.now() + PATIENCE;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** For one call. @param most milliseconds that it may take of what is left */
  settings(most = PATIENCE): { readonly deadline: number; readonly signal: AbortSignal } {
    const left = Math.round(this.#end - performance.now());
    return { deadline: Math.max(SHORTEST, Math.min(most, left)), signal: this.signal };
  }

  /** For what knows no deadlines. @param most as above */
  ended(most = PATIENCE): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(this.settings(most).deadline)]);
  }

  /**
   * Undefined: nobody told in time, whatever the work itself waits for.
   * @throws CastleError command/interrupted, where the whole look is
   */
  async told<T>(work: Promise<T>): Promise<T | undefined> {
    const over = new AbortController();
    const late = delay(Math.max(SHORTEST, this.#end - performance.now()), undefined, { signal: over.signal });
    try {
      return await Promise.race([work, late.catch(() => undefined)]);
    } catch (error) {
      if (this.signal.aborted || !isSilence(error)) throw error;
      return undefined;
    } finally {
      over.abort();
      // What comes after its time is nobody's any more.
      work.catch(() => undefined);
    }
  }
}

function isSilence(error: unknown): boolean {
  if (error instanceof CastleError) return true;
  return error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
}
