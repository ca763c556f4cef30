import type { ErrorCode } from "../../errors/catalogue.ts";
import { CastleError } from "../../errors/castle-error.ts";

/** One file that must not be published as it is. */
export interface OutputFault {
  readonly code: Extract<ErrorCode, `build/${string}`>;
  readonly path: string;
  /** The rule, never a value. */
  readonly why: string;
}

const SHOWN = 10;

/** All faults as one error: the first gives the code. */
export function outputError(faults: readonly [OutputFault, ...OutputFault[]]): CastleError {
  const told = faults.slice(0, SHOWN).map(({ path, why }) => `${path} (${why})`);
  const more = faults.length > SHOWN ? ` and ${faults.length - SHOWN} more` : "";
  return new CastleError(faults[0].code, {
    message: `the site's output cannot be published: ${told.join(", ")}${more}. Nothing was pushed, what is live stays live`,
    hint: "take the files out of the site or mend them, commit and push",
    details: { faults },
  });
}
