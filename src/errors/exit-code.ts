/**
 * 0 fine, 1 failed, 2 usage or spec fault, 3 findings or differences, 4 unreachable or timed out,
 * 130 interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130;

/** What the catalogue says of a code: how the process ends, and what the code means in one sentence. */
export interface CatalogueEntry {
  readonly exit: ExitCode;
  readonly meaning: string;
}
