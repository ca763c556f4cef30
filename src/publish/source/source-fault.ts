import type { ErrorCode } from "../../errors/catalogue.ts";
import { CastleError } from "../../errors/castle-error.ts";

/** One reason not to publish from a repository as it is. */
export interface SourceFault {
  readonly code: Extract<ErrorCode, `source/${string}`>;
  readonly message: string;
  /** The command that mends it. */
  readonly hint: string;
  readonly paths?: readonly string[];
  readonly cause?: unknown;
}

const SHOWN = 10;

/** "a, b and 3 more" */
export function listed(paths: readonly string[]): string {
  const more = paths.length - SHOWN;
  return paths.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** All faults as one error: the first gives the code, none is kept back. */
export function sourceError(folder: string, faults: readonly [SourceFault, ...SourceFault[]]): CastleError {
  const [first] = faults;
  return new CastleError(first.code, {
    message: `${folder} cannot be published from: ${faults.map(({ message }) => message).join("; ")}. Nothing was built or pushed, what is live stays live`,
    hint: faults.map(({ hint }) => hint).join("; "),
    cause: first.cause,
    details: {
      folder,
      faults: faults.map(({ code, message, hint, paths }) => ({ code, message, hint, paths })),
    },
  });
}
