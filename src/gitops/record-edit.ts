import { blobId } from "./blob-id.ts";
import { parseRecord, RECORD } from "./folder-record.ts";
import type { Repository, Tip } from "./repository.ts";

export interface RecordedEdit {
  /** From the root of the repository. */
  readonly path: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * The change to the record of a generated folder that goes with an edit of castle's own to a file in it, so that the
 * edit does not count as somebody's hand; empty where no record knows the file as it was.
 */
export async function recordEdit(
  repository: Repository,
  tip: Tip,
  { path, before, after }: RecordedEdit,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const records = (await repository.entries(tip)).filter(
    (entry) => entry.path.endsWith(`/${RECORD}`) && path.startsWith(entry.path.slice(0, -RECORD.length)),
  );
  const contents = await repository.contents(records.map(({ id }) => id));
  const changes = new Map<string, Uint8Array>();
  for (const record of records) {
    const text = contents.get(record.id)?.toString("utf8");
    const inside = path.slice(record.path.length - RECORD.length);
    const old = blobId(before);
    if (text === undefined || parseRecord(text).get(inside) !== old) continue;
    // Paths are keys once and ids are values: the one line is found by both.
    const [from, to] = [old, blobId(after)].map((id) => `${JSON.stringify(inside)}: "${id}"`);
    changes.set(record.path, Buffer.from(text.replace(from ?? "", to ?? "")));
  }
  return changes;
}
