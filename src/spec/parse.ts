import type { Castle } from "./castle.ts";
import { checkClashes } from "./checks/clashes.ts";
import { checkHypervisor } from "./checks/hypervisor.ts";
import { checkNetwork } from "./checks/network.ts";
import { checkNodes, checkPatches } from "./checks/nodes.ts";
import { checkRequired } from "./checks/required.ts";
import { checkSections } from "./checks/sections.ts";
import { checkVersions } from "./checks/versions.ts";
import { readDocument } from "./document.ts";
import { Draft } from "./draft.ts";
import type { Fault } from "./fault.ts";
import { outline } from "./outline.ts";
import { resolve } from "./resolve.ts";
import { type Spec, specSchema } from "./schema.ts";
import { reportIssues } from "./structure.ts";

/** Either the castle that the text describes, or all faults of it; `"faults" in parsed` tells which. */
export type ParsedSpec =
  | { readonly castle: Castle; readonly spec: Spec }
  | { readonly faults: readonly [Fault, ...Fault[]] };

/**
 * Reads a castle.yaml. Never throws for what the text says: every fault comes back at once, in the order of
 * the file. `file` is the name that the faults carry.
 */
export function parseSpec(text: string, file: string): ParsedSpec {
  const document = readDocument(text);
  const draft = new Draft(document, file);
  for (const fault of document.faults) draft.faultAt(fault, fault.path ?? [], fault);
  if (document.value === undefined || document.value === null) {
    const empty = { message: "the file is empty", hint: "castle init writes one" };
    if (draft.faults.length === 0) draft.faultAt({ line: 1, column: 1 }, [], empty);
    return failed(draft.faults);
  }
  const parsed = specSchema.safeParse(document.value);
  if (!parsed.success) reportIssues(parsed.error.issues, document.value, draft);
  if (typeof document.value === "object") judge(draft);
  if (draft.faults.length > 0 || !parsed.success) return failed(draft.faults);
  return { castle: resolve(parsed.data, outline(draft)), spec: parsed.data };
}

/** The order matters: what is found first takes its value out of the later checks. */
function judge(draft: Draft): void {
  checkHypervisor(draft);
  checkRequired(draft);
  checkVersions(draft);
  checkNodes(draft);
  checkNetwork(draft);
  checkClashes(draft);
  checkPatches(draft);
  checkSections(draft);
}

function failed(faults: readonly Fault[]): ParsedSpec {
  const [first, ...rest] = faults;
  if (first === undefined) throw new Error("a spec that does not parse has a fault");
  return { faults: [first, ...rest] };
}
