import { type Fault, withoutCredentials } from "./fault.ts";

/**
 * One fault for people: where and what, the line itself with a caret under the place, and what would be right.
 * `source` is the text that was parsed.
 */
function formatFault(fault: Fault, source: string): string {
  const lines = [`${fault.file}:${fault.line}:${fault.column}: ${fault.message}`];
  const text = source.split(/\r?\n/)[fault.line - 1];
  if (text !== undefined && text.trim() !== "") {
    const number = String(fault.line);
    // Tabs before the place are kept, so that the caret stands under it whatever a tab is worth.
    const indent = text.slice(0, fault.column - 1).replaceAll(/[^\t]/g, " ");
    lines.push(`  ${number} | ${withoutCredentials(text)}`, `  ${" ".repeat(number.length)} | ${indent}^`);
  }
  if (fault.hint !== undefined) lines.push(`  ${fault.hint}`);
  return lines.join("\n");
}

/** All faults, in the order of the file, and how many there are. */
export function formatFaults(faults: readonly Fault[], source: string): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return [...faults.map((fault) => formatFault(fault, source)), count].join("\n\n");
}
