import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { checkDuplicates } from "./duplicates.ts";

/** The sections above the nodes, as far as one entry of them means something for another. */
export function checkSections(draft: Draft): void {
  checkDuplicates(draft, ["talos", "extensions"]);
  for (const key of ["name", "host", "image"]) checkSites(draft, key);
}

/** Two sites with one name, host or image would overwrite each other's releases. */
function checkSites(draft: Draft, key: string): void {
  const seen = new Map<string, Path>();
  for (let index = 0; index < draft.count(["sites"]); index++) {
    const path: Path = ["sites", index, key];
    const text = draft.text(path);
    if (text === undefined) continue;
    const first = seen.get(text);
    if (first === undefined) {
      seen.set(text, path);
    } else {
      const message = `${formatPath(path)} is ${text}, the same as ${formatPath(first)}`;
      draft.fault(path, { message, hint: `every site has a ${key} of its own` });
    }
  }
}
