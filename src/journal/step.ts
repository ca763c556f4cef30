import { CastleError } from "../errors/castle-error.ts";

/** What a long operation says while it runs. `id` is stable (kebab-case), `title` is for people. */
export type StepEvent =
  | {
      readonly type: "started";
      readonly id: string;
      readonly title: string;
      /** Id of the step that this one is a piece of. */
      readonly parent?: string;
    }
  | {
      readonly type: "progress";
      readonly id: string;
      readonly message: string;
      readonly done?: number;
      readonly total?: number;
    }
  | {
      readonly type: "finished";
      readonly id: string;
      readonly milliseconds: number;
      readonly detail?: string;
    }
  | { readonly type: "skipped"; readonly id: string; readonly title: string; readonly reason: string }
  | { readonly type: "failed"; readonly id: string; readonly milliseconds: number; readonly error: string }
  | { readonly type: "warning"; readonly message: string; readonly hint?: string };

/** Receives the events of one run: the terminal, the journal file, a test. */
export type Report = (event: StepEvent) => void;

/** What goes through it is told as pieces of that step. */
export function piecesOf(parent: string, report: Report): Report {
  return (event) => report(event.type === "started" ? { ...event, parent } : event);
}

export interface Step {
  readonly id: string;
  readonly title: string;
}

/**
 * Runs one step of an operation and reports its start, its end and its time. The work may return a `detail` for
 * people ("3 created"); its error is reported and thrown on.
 */
export async function runStep<T extends { readonly detail?: string } | undefined>(
  report: Report,
  { id, title }: Step,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  const milliseconds = () => Math.round(performance.now() - start);
  report({ type: "started", id, title });
  try {
    const result = await work();
    const detail = result?.detail;
    report({
      type: "finished",
      id,
      milliseconds: milliseconds(),
      ...(detail === undefined ? {} : { detail }),
    });
    return result;
  } catch (error) {
    const text = error instanceof CastleError ? `${error.code}: ${error.message}` : String(error);
    report({ type: "failed", id, milliseconds: milliseconds(), error: text });
    throw error;
  }
}
