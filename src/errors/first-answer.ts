import type { CastleError } from "./castle-error.ts";
import { isFailure } from "./failure.ts";

/**
 * The first answer of several who are asked the same; undefined where all of them fail.
 * @param told is given the failures then
 * @throws what is no failure, such as an interruption, where nobody answers
 */
export async function firstAnswer<T>(
  asked: readonly Promise<T>[],
  told?: (failures: readonly CastleError[]) => void,
): Promise<T | undefined> {
  try {
    return await Promise.any(asked);
  } catch (error) {
    const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const grave = reasons.find((reason) => !isFailure(reason));
    if (grave !== undefined) throw grave;
    told?.(reasons.filter(isFailure));
    return undefined;
  }
}
