import { CastleError } from "../../errors/castle-error.ts";

/** Milliseconds that all questions of one look may take together; a verdict is there after five seconds. */
const PATIENCE = 3_500;
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

  /** For what knows no deadlines. */
  ended(): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(this.settings().deadline)]);
  }

  /** Undefined: nobody told. @throws CastleError command/interrupted, where the whole look is */
  async told<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (this.signal.aborted || !isSilence(error)) throw error;
      return undefined;
    }
  }
}

function isSilence(error: unknown): boolean {
  if (error instanceof CastleError) return true;
  return error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
}
