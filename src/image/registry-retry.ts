import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../errors/castle-error.ts";

export interface RetryOptions {
  /** How often in all; 5 unless told. */
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each further try, for people. */
  readonly onRetry?: ((why: string) => void) | undefined;
}

const ATTEMPTS = 5;
/** Milliseconds: the first pause, which doubles, and the longest, which a registry may ask for too. */
const PAUSE = 200;
const LONGEST = 30_000;

/** Errors of the next moment: no answer, too busy, or bytes that were spoilt on the way. */
const PASSING: ReadonlySet<string> = new Set([
  "image/registry-unreachable",
  "image/registry-busy",
  "image/digest-mismatch",
]);

/**
 * Tries one piece of work again where the fault may pass, after the time that the registry asks for, or a growing one
 * with chance in it, so that those who were refused together do not come back together.
 */
export async function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  { attempts = ATTEMPTS, signal, onRetry }: RetryOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof CastleError && PASSING.has(error.code)) || attempt >= attempts) throw error;
      onRetry?.(error.message);
      const grown = PAUSE * 2 ** (attempt - 1) * (0.5 + Math.random());
      const asked = error.details["retryAfter"];
      const pause = Math.min(LONGEST, typeof asked === "number" ? asked : grown);
      await delay(pause, undefined, signal === undefined ? {} : { signal }).catch(() => {
        throw new CastleError("command/interrupted", { message: "the push was interrupted" });
      });
    }
  }
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date. */
export function retryAfter(header: string, now: number): number | undefined {
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
