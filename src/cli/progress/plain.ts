import type { Report } from "../../journal/step.ts";
import type { Output } from "../context.ts";
import { elapsed } from "./elapsed.ts";

/** Milliseconds: a piece of a step is worth a line in a log if it took longer. */
const WORTH_A_LINE = 1_000;

interface Begun {
  readonly title: string;
  readonly piece: boolean;
}

/** Progress without a terminal: one line for each start and end, nothing that moves, no colours. */
export function plainProgress(output: Output): Report {
  const begun = new Map<string, Begun>();
  const of = (id: string): Begun => begun.get(id) ?? { title: id, piece: false };
  return (event) => {
    switch (event.type) {
      case "started":
        begun.set(event.id, { title: event.title, piece: event.parent !== undefined });
        if (event.parent === undefined) output.write(`… ${event.title}\n`);
        return;
      case "progress":
        return;
      case "finished": {
        const { title, piece } = of(event.id);
        if (piece && event.milliseconds < WORTH_A_LINE) return;
        const detail = event.detail === undefined ? "" : ` (${event.detail})`;
        output.write(`${piece ? "  · " : "✓ "}${title} ${elapsed(event.milliseconds)}${detail}\n`);
        return;
      }
      case "skipped":
        output.write(`- ${event.title}: ${event.reason}\n`);
        return;
      case "failed":
        output.write(`✗ ${of(event.id).title} ${elapsed(event.milliseconds)}\n`);
        return;
      case "warning":
        output.write(`! ${event.message}${event.hint === undefined ? "" : `\n  ${event.hint}`}\n`);
        return;
      default:
        event satisfies never;
    }
  };
}
