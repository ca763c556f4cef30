import type { Draft } from "../draft.ts";
import { formatPath, type Path } from "../fault.ts";

/** Every item of the list that stands in it before. */
export function checkDuplicates(draft: Draft, path: Path): void {
  const texts = draft.texts(path) ?? [];
  for (const [index, text] of texts.entries()) {
    const first = texts.indexOf(text);
    if (first === index) continue;
    const item = formatPath([...path, index]);
    draft.fault([...path, index], {
      message: `${item} is ${text}, the same as ${formatPath([...path, first])}`,
      hint: "name it once",
    });
  }
}
