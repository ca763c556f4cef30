import { commitToTip, type Outcome, type Plan } from "./commit-to-tip.ts";
import { blobId } from "./blob-id.ts";
import { type FolderRecord, parseRecord, RECORD, renderRecord } from "./folder-record.ts";
import type { FileChanges, Repository, Tip } from "./repository.ts";
import { isFile, type TreeEntry } from "./tree-entry.ts";

export interface GeneratedFolder {
  /** From the root of the repository, no slash at either end: clusters/fortress/castle. castle's own, all of it. */
  readonly path: string;
  /** Paths in the folder to contents: all that shall lie there. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Pieces of these files that others own and that stay as a tip has them. */
  readonly kept?: KeptPieces;
  /** Paths from the root of the repository to first contents; the user's own as soon as they exist. */
  readonly scaffolds: ReadonlyMap<string, Uint8Array>;
}

export interface KeptPieces {
  /** Whether a file of the folder has such pieces. */
  readonly isIn: (path: string) => boolean;
  /** The wanted content with the pieces put in that stand there now. */
  readonly put: (wanted: Uint8Array, there: Uint8Array) => Uint8Array;
}

export interface HandEdit {
  /** From the root of the repository. */
  readonly path: string;
  readonly change: "edited" | "added" | "removed";
}

/** Somebody else changed the generated folder; nothing was written. */
export interface HandEdited {
  readonly kind: "handEdited";
  readonly edits: readonly HandEdit[];
  /** From what castle wrote to what lies there now, for people. */
  readonly diff: string;
}

export interface PublishOptions {
  readonly message: string;
  /** Write over hand edits, and remove what others put into the folder. */
  readonly overwrite: boolean;
}

/**
 * Makes the folder what it shall be, on whatever tip the branch has, and touches nothing else.
 * @throws CastleError gitops/unreachable, gitops/credentials, gitops/path-taken …
 */
export async function publishFolder(
  repository: Repository,
  folder: GeneratedFolder,
  options: PublishOptions,
): Promise<Outcome | HandEdited> {
  return commitToTip(repository, (tip) => planFolder(repository, tip, { folder, options }));
}

/**
 * What `publishFolder` would do on this tip.
 * @throws CastleError gitops/failed
 */
export async function planFolder(
  repository: Repository,
  tip: Tip,
  wish: { readonly folder: GeneratedFolder; readonly options: PublishOptions },
): Promise<Plan<HandEdited>> {
  const { options } = wish;
  const entries = await repository.entries(tip);
  const prefix = `${wish.folder.path}/`;
  const inside = entries
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
  const folder = await withKeptPieces(repository, wish.folder, inside);
  const recordId = inside.find(({ path }) => path === RECORD)?.id;
  const text = recordId === undefined ? undefined : (await repository.contents([recordId])).get(recordId);
  const record = parseRecord(text?.toString("utf8"));
  const edits = handEdits(folder.files, inside, record);
  if (edits.length > 0 && !options.overwrite) {
    return { kind: "stop", answer: await describe(repository, edits, { prefix, inside, record }) };
  }
  const there = new Set(entries.map(({ path }) => path));
  const files = new Map(
    [...folderChanges(folder.files, inside)].map(([path, content]) => [prefix + path, content]),
  );
  for (const [path, content] of folder.scaffolds) if (!there.has(path)) files.set(path, content);
  return files.size === 0
    ? { kind: "unchanged" }
    : { kind: "change", change: { files, message: options.message } };
}

async function withKeptPieces(
  repository: Repository,
  folder: GeneratedFolder,
  inside: readonly TreeEntry[],
): Promise<GeneratedFolder> {
  const { kept, files } = folder;
  if (kept === undefined) return folder;
  const concerned = inside.filter((entry) => isFile(entry) && files.has(entry.path) && kept.isIn(entry.path));
  const contents = await repository.contents(concerned.map(({ id }) => id));
  const settled = new Map(files);
  for (const { path, id } of concerned) {
    const [wanted, there] = [files.get(path), contents.get(id)];
    if (wanted !== undefined && there !== undefined) settled.set(path, kept.put(wanted, there));
  }
  return { ...folder, files: settled };
}

/**
 * What in the folder is neither as castle left it nor as castle wants it now.
 * @param inside paths in the folder, the record among them
 */
export function handEdits(
  wanted: ReadonlyMap<string, Uint8Array>,
  inside: readonly TreeEntry[],
  record: FolderRecord,
): readonly HandEdit[] {
  const there = new Map(inside.filter(({ path }) => path !== RECORD).map((entry) => [entry.path, entry]));
  const edits: HandEdit[] = [];
  for (const [path, entry] of there) {
    const left = record.get(path);
    const content = wanted.get(path);
    const isOurs =
      isFile(entry) && (entry.id === left || (content !== undefined && entry.id === blobId(content)));
    if (!isOurs) edits.push({ path, change: left === undefined ? "added" : "edited" });
  }
  for (const path of record.keys()) {
    // What castle would remove itself may be gone already.
    if (!there.has(path) && wanted.has(path)) edits.push({ path, change: "removed" });
  }
  return edits.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function folderChanges(wanted: ReadonlyMap<string, Uint8Array>, inside: readonly TreeEntry[]): FileChanges {
  const all = new Map([...wanted, [RECORD, renderRecord(wanted)]]);
  const there = new Map(inside.map((entry) => [entry.path, entry]));
  const changes = new Map<string, Uint8Array | undefined>();
  for (const path of there.keys()) if (!all.has(path)) changes.set(path, undefined);
  for (const [path, content] of all) {
    const entry = there.get(path);
    if (entry?.id !== blobId(content) || !isFile(entry)) changes.set(path, content);
  }
  return changes;
}

interface Seen {
  readonly prefix: string;
  readonly inside: readonly TreeEntry[];
  readonly record: FolderRecord;
}

async function describe(
  repository: Repository,
  edits: readonly HandEdit[],
  { prefix, inside, record }: Seen,
): Promise<HandEdited> {
  const edited = new Set(edits.map(({ path }) => path));
  const left = [...record].flatMap(([path, id]) =>
    edited.has(path) ? [{ path: prefix + path, mode: "100644", id }] : [],
  );
  // A record that came without its history names contents that this copy never saw.
  const known = await repository.contents(left.map(({ id }) => id));
  const before = left.filter(({ id }) => known.has(id));
  const after = inside
    .filter(({ path }) => edited.has(path))
    .map((entry) => ({ ...entry, path: prefix + entry.path }));
  return {
    kind: "handEdited",
    edits: edits.map(({ path, change }) => ({ path: prefix + path, change })),
    diff: await repository.diff(before, after),
  };
}
