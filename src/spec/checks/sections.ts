import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";
import { checkDuplicates } from "./duplicates.ts";

/** The sections above the nodes, as far as one entry of them means something for another. */
export function checkSections(draft: Draft): void {
  checkDuplicates(draft, ["talos", "extensions"]);
  for (const key of ["name", "host", "image"]) checkSites(draft, key);
  checkDisks(draft);
}

/** Talos keeps how STATE is opened in META, which is never encrypted: a static key would lie beside its lock. */
function checkDisks(draft: Draft): void {
  const path: Path = ["disks", "encryption", "state"];
  if (!draft.is(path, true) || draft.text(["disks", "encryption", "key"]) !== "static") return;
  draft.fault(path, {
    message: "disks.encryption.state is true, and a static key for STATE would lie in clear on the same disk",
    hint: "set disks.encryption.key to tpm, nodeID or a kms, or leave STATE as it is",
  });
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
