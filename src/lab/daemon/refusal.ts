import { z } from "zod";
import { type ErrorCode, catalogue } from "../../errors/catalogue.ts";
import { CastleError } from "../../errors/castle-error.ts";

/** A CastleError on its way from the daemon to whoever asked it. */
const refusalShape = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });
type Refusal = z.infer<typeof refusalShape>;

/** @param otherwise the code of an error that is not castle's own */
export function refusalOf(error: unknown, otherwise: ErrorCode): Refusal {
  if (error instanceof CastleError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  return { code: otherwise, message: error instanceof Error ? error.message : String(error) };
}

/** @param otherwise the code where the daemon's, of another version, is not known here */
export function refusalError(refusal: unknown, otherwise: ErrorCode): CastleError {
  const { code, message, hint } = refusalShape.parse(refusal);
  return new CastleError(isErrorCode(code) ? code : otherwise, {
    message,
    ...(hint === undefined ? {} : { hint }),
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}
