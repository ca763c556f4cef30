import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommitEntry, commitContents, LINK } from "./commit-tree.ts";
import { listed, type SourceFault } from "./source-fault.ts";
import type { Piece } from "./submodule.ts";
import { sha256 } from "../../support/sha256.ts";

const LONGEST_POINTER = 1024;
const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:.*\n)*?oid sha256:(?<oid>[0-9a-f]{64})\n/;

/** The hash that a pointer of Git LFS stands for; undefined: the content is content. */
export function pointedAt(content: Buffer): string | undefined {
  if (content.length > LONGEST_POINTER || !content.subarray(0, 8).equals(Buffer.from("version ")))
    return undefined;
  return POINTER.exec(content.toString("latin1"))?.groups?.["oid"];
}

/** The content that `git lfs` fetched; undefined: it did not, or what lies there is something else. */
export async function largeFile({ repository }: Piece, oid: string): Promise<Buffer | undefined> {
  const path = join(repository.commonFolder, "lfs", "objects", oid.slice(0, 2), oid.slice(2, 4), oid);
  const content = await readFile(path).catch(() => undefined);
  if (content === undefined) return undefined;
  return sha256(content) === oid ? content : undefined;
}

/** What pointers stand for: bytes, and those whose content was never fetched (a page with one shows a broken picture). */
export async function largeFiles(
  pieces: readonly Piece[],
): Promise<{ readonly bytes: number; readonly faults: readonly SourceFault[] }> {
  const missing: string[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    for await (const [{ path }, content] of commitContents(
      piece.repository,
      piece.entries.filter(mayPoint),
    )) {
      const oid = pointedAt(content);
      if (oid === undefined) continue;
      const found = await largeFile(piece, oid);
      if (found === undefined) missing.push(piece.at + path);
      else bytes += found.byteLength;
    }
  }
  if (missing.length === 0) return { bytes, faults: [] };
  const fault: SourceFault = {
    code: "source/lfs-missing",
    message: `Git LFS has not fetched ${listed(missing)}`,
    hint: "git lfs pull",
    paths: missing,
  };
  return { bytes, faults: [fault] };
}

/** The shortest pointer names its version, a hash and a size of one digit. */
function mayPoint({ size, mode }: CommitEntry): boolean {
  return mode !== LINK && size >= 120 && size <= LONGEST_POINTER;
}
