import {
  closeSync,
  fchmodSync,
  futimesSync,
  lutimesSync,
  openSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SourceFacts } from "../release.ts";
import { commitContents, LINK } from "./commit-tree.ts";
import { largeFile, pointedAt } from "./large-file.ts";
import { sourceError } from "./source-fault.ts";
import { openSource, type SourceAccess } from "./source-repository.ts";
import { type Piece, piecesOf } from "./submodule.ts";

/**
 * Writes the commit with its submodules into an empty folder: the bytes that Git keeps, whatever filters and line ends
 * are set on this machine, with the commit's time and modes that no umask changes.
 * @throws CastleError source/submodule-missing, source/lfs-missing, source/failed
 */
export async function exportCommit(
  source: SourceFacts,
  target: string,
  access: Omit<SourceAccess, "folder">,
): Promise<void> {
  const found = { ...access, folder: source.folder };
  const repository = await openSource(found);
  const { pieces, faults } = await piecesOf(repository, source.commit, found);
  const [first, ...others] = faults;
  if (first !== undefined) throw sourceError(source.folder, [first, ...others]);
  await mkdir(target, { recursive: true });
  const time = new Date(source.committedAt);
  for (const piece of pieces) await writePiece(piece, join(target, piece.at), time);
  await history(pieces[0], target);
  setTimes(target, time);
}

async function writePiece(piece: Piece, folder: string, time: Date): Promise<void> {
  const folders = new Set(piece.entries.map(({ path }) => dirname(join(folder, path))));
  for (const path of [folder, ...folders]) await mkdir(path, { recursive: true });
  for await (const [{ path, mode }, content] of commitContents(piece.repository, piece.entries)) {
    const file = join(folder, path);
    if (mode === LINK) {
      await symlink(content.toString("utf8"), file);
      lutimesSync(file, time, time);
      continue;
    }
    const oid = pointedAt(content);
    const bytes = (oid === undefined ? undefined : await largeFile(piece, oid)) ?? content;
    writeWhole(file, bytes, { mode: mode === "100755" ? 0o755 : 0o644, time });
  }
}

/** Thousands of small files: waiting for each would take longer than writing them. */
function writeWhole(
  path: string,
  content: Uint8Array,
  { mode, time }: { readonly mode: number; readonly time: Date },
): void {
  const file = openSync(path, "wx", mode);
  try {
    writeFileSync(file, content);
    // The umask has taken its share of the mode.
    fchmodSync(file, mode);
    futimesSync(file, time, time);
  } finally {
    closeSync(file);
  }
}

/** For sites that show when a page was last committed: a repository that borrows the objects and has no files. */
async function history(site: Piece | undefined, folder: string): Promise<void> {
  if (site === undefined || site.repository.prefix !== "") return;
  const home = join(folder, ".git");
  await mkdir(join(home, "objects", "info"), { recursive: true });
  await mkdir(join(home, "refs"), { recursive: true });
  await writeFile(
    join(home, "objects", "info", "alternates"),
    `${join(site.repository.commonFolder, "objects")}\n`,
  );
  await writeFile(join(home, "HEAD"), `${site.commit}\n`);
  await writeFile(join(home, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = false\n");
}

/** Hugo may take a file's time for a page's, and a folder's for a section's. */
function setTimes(folder: string, time: Date): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name !== ".git" && entry.isDirectory()) setTimes(join(folder, entry.name), time);
  }
  lutimesSync(folder, time, time);
}
