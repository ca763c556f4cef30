import type { Report } from "../../journal/step.ts";
import type { Output } from "../context.ts";
import { elapsed } from "./elapsed.ts";

/** Progress without a terminal: one line for each start and end, nothing that moves. */
export function plainProgress(output: Output): Report {
  const titles = new Map<string, string>();
  const title = (id: string) => titles.get(id) ?? id;
  return (event) => {
    switch (event.type) {
      case "started":
        titles.set(event.id, event.title);
        output.write(`… ${event.title}\n`);
        return;
      case "progress":
        return;
      case "finished": {
        const detail = event.detail === undefined ? "" : ` (${event.detail})`;
        output.write(`✓ ${title(event.id)} ${elapsed(event.milliseconds)}${detail}\n`);
        return;
      }
      case "skipped":
        output.write(`- ${event.title}: ${event.reason}\n`);
        return;
      case "failed":
        output.write(`✗ ${title(event.id)} ${elapsed(event.milliseconds)}\n`);
        return;
      case "warning":
        output.write(`! ${event.message}${event.hint === undefined ? "" : `\n  ${event.hint}`}\n`);
        return;
      default:
        event satisfies never;
    }
  };
}
