/**
 * 0 fine, 1 failed, 2 usage or spec fault, 3 findings or differences, 4 unreachable or timed out,
 * 130 interrupted. A publication says how far it came: 10 precondition, 20 build, 30 registry, 40 GitOps repository,
 * 50 rollout, 60 proof.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 10 | 20 | 30 | 40 | 50 | 60 | 130;

/** What the catalogue says of a code: how the process ends, and what the code means in one sentence. */
export interface CatalogueEntry {
  readonly exit: ExitCode;
  readonly meaning: string;
}
