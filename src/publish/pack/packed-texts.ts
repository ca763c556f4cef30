import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ReleaseFile } from "../release.ts";
import type { PackingText, PagePacker } from "./page-packer.ts";

/** A file as it is and as a gzip stream. */
export interface PackedText {
  readonly content: Uint8Array;
  readonly packed: Uint8Array;
}

/** Bytes that are read ahead of the file that is taken, so that other cores have something to pack. */
const AHEAD = 8 * 1024 * 1024;

/** These files in their order. */
export async function* packedTexts(
  folder: string,
  texts: readonly ReleaseFile[],
  packer: PagePacker,
): AsyncGenerator<PackedText> {
  const ahead: PackingText[] = [];
  let held = 0;
  for (const { path } of texts) {
    const text = packer.take(path, () => readFileSync(join(folder, path)));
    ahead.push(text);
    held += text.content.byteLength;
    while (held > AHEAD) {
      const [first] = ahead.splice(0, 1);
      if (first === undefined) break;
      held -= first.content.byteLength;
      yield packedText(first);
    }
  }
  for (const text of ahead) yield packedText(text);
}

async function packedText({ content, packed }: PackingText): Promise<PackedText> {
  return { content, packed: await packed };
}
