import type { ExitCode } from "../errors/exit-code.ts";
import type { Report } from "../journal/step.ts";
import type { Context } from "./context.ts";
import type { DocumentData, DocumentKind } from "./documents.ts";
import type { OutputFormat } from "./flags.ts";

/** What a command has to say: a JSON document of that kind, or text for people. */
export type Answer = { readonly [K in DocumentKind]: AnswerOf<K> }[DocumentKind] | Passed;

export interface AnswerOf<K extends DocumentKind> {
  readonly kind: K;
  readonly data: DocumentData<K>;
  readonly text: string;
  /** 0 unless told. */
  readonly exit?: ExitCode;
}

/** Another program has spoken and set the exit code. */
interface Passed {
  readonly kind: "Passed";
}

/**
 * Runs a command's work with progress on standard error, prints its answer (or its error) in the asked format and
 * sets the exit code. With `-o json` standard output carries one document and nothing else.
 */
export async function answer(
  context: Context,
  output: OutputFormat,
  work: (report: Report) => Promise<Answer>,
): Promise<void> {
  // Every command's file names this one: `castle --help` loads them all, and has no time for errors and progress.
  const { say } = await import("./saying.ts");
  await say(context, output, work);
}
