import { type ErrorCode, catalogue } from "./catalogue.ts";
import type { ExitCode } from "./exit-code.ts";

export interface CastleErrorDetails {
  /** What failed, on which object, what was expected and what was found. One sentence, no secret. */
  readonly message: string;
  /** The next command to run, or the change to make. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable facts for `-o json`; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Stands instead of the code's own: a publication ends with the number of the phase that it came to. */
  readonly exit?: ExitCode;
}

/** The one error class: a stable code from the catalogue, a sentence for people, and what to do next. */
export class CastleError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  readonly exitCode: ExitCode;

  constructor(code: ErrorCode, { message, hint, cause, details, exit }: CastleErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CastleError";
    this.code = code;
    this.hint = hint;
    this.details = details ?? {};
    this.exitCode = exit ?? catalogue[code].exit;
  }
}
