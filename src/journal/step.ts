/** What a long operation says while it runs. `id` is stable (kebab-case), `title` is for people. */
export type StepEvent =
  | { readonly type: "started"; readonly id: string; readonly title: string }
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
