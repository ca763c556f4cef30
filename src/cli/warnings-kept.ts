import type { Report, StepEvent } from "../journal/step.ts";

type Warning = Pick<Extract<StepEvent, { type: "warning" }>, "message" | "hint">;

/** Passes everything on, and keeps the warnings for the end, where a long run is read. */
export function keepingWarnings(report: Report): {
  readonly report: Report;
  readonly warnings: readonly Warning[];
  /** A line for each, to stand below what is said at the end. */
  readonly lines: () => readonly string[];
} {
  const warnings: Warning[] = [];
  return {
    warnings,
    report: (event) => {
      if (event.type === "warning") {
        const { message, hint } = event;
        warnings.push({ message, ...(hint === undefined ? {} : { hint }) });
      }
      report(event);
    },
    lines: () =>
      warnings.map(({ message, hint }) => `! ${message}${hint === undefined ? "" : `\n  → ${hint}`}`),
  };
}
