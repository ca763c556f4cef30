import { CastleError } from "./castle-error.ts";

/** Somebody refused or did not answer: castle knows it. An interruption is none, nor is a fault of castle's own. */
export function isFailure(error: unknown): error is CastleError {
  return error instanceof CastleError && error.code !== "command/interrupted";
}

/** For `.catch`, where no answer is an answer too. @throws what is no failure */
export function noAnswer(error: unknown): undefined {
  if (isFailure(error)) return undefined;
  throw error;
}
