import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import { treeDigest, treeStamp } from "./tree-digest.ts";

const recordShape = z.object({
  name: z.string(),
  version: z.string(),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  origin: z.enum(["built", "pulled"]),
});

/** What is known of a stored part: recipe `key` → content `digest`. */
export type PartRecord = Readonly<z.infer<typeof recordShape>>;

/** `whole`: as stored; `missing`: never stored, or gone; `broken`: the content has another hash. */
export type ObjectState =
  | { readonly state: "whole"; readonly folder: string; readonly record: PartRecord }
  | { readonly state: "missing" }
  | { readonly state: "broken"; readonly folder: string; readonly record: PartRecord };

/**
 * Trees by the hash of their content, and records that say which recipe gave which content. An object
 * gets its name by a rename when it is whole, a record after its object: killed at any moment, what the
 * store says to have is there.
 */
export class ObjectStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** An empty folder on the store's file system, to make an object in. */
  async stage(): Promise<string> {
    const folder = join(this.root, "staging", randomBytes(8).toString("hex"));
    await mkdir(folder, { recursive: true, mode: 0o755 });
    return folder;
  }

  /** Removes what killed builds left. Only with the store's lock held. */
  async clearStaging(): Promise<void> {
    await rm(join(this.root, "staging"), { recursive: true, force: true });
  }

  /**
   * Moves a staged tree into the store. Where the hash is known and the tree has another, nothing is moved
   * and the record returned tells the hash found.
   */
  async put(staged: string, part: Omit<PartRecord, "digest">, expected?: string): Promise<PartRecord> {
    // Stages may come from a tar or mkdtemp with another mode; the top folder's is not in the hash.
    await chmod(staged, 0o755);
    const record: PartRecord = { ...part, digest: await treeDigest(staged) };
    if (expected !== undefined && record.digest !== expected) return record;
    const folder = this.#object(record.digest);
    await mkdir(join(this.root, "objects"), { recursive: true });
    await rm(this.#stampFile(record.digest), { force: true });
    await rm(folder, { recursive: true, force: true });
    await rename(staged, folder);
    await writeFileAtomic(this.#stampFile(record.digest), await treeStamp(folder), 0o644);
    await writeFileAtomic(this.#recordFile(record.key), `${JSON.stringify(record)}\n`, 0o644);
    return record;
  }

  /**
   * Looks a recipe up. Files that are untouched by size and time since their hash was last right are taken
   * as whole; otherwise, or when `full`, every byte is hashed.
   */
  async look(key: string, { full = false } = {}): Promise<ObjectState> {
    const record = await this.#record(key);
    if (record === undefined) return { state: "missing" };
    const folder = this.#object(record.digest);
    const stamp = await treeStamp(folder).catch(() => undefined);
    if (stamp === undefined) return { state: "missing" };
    const known = await readFile(this.#stampFile(record.digest), "utf8").catch(() => undefined);
    if (!full && stamp === known) return { state: "whole", folder, record };
    if ((await treeDigest(folder)) !== record.digest) return { state: "broken", folder, record };
    if (stamp !== known) await writeFileAtomic(this.#stampFile(record.digest), stamp, 0o644);
    return { state: "whole", folder, record };
  }

  /** The hash of what a recipe gave, whether or not it is still there. */
  async digest(key: string): Promise<string | undefined> {
    return (await this.#record(key))?.digest;
  }

  async #record(key: string): Promise<PartRecord | undefined> {
    const text = await readFile(this.#recordFile(key), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return recordShape.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  #object(digest: string): string {
    return join(this.root, "objects", digest);
  }

  #stampFile(digest: string): string {
    return join(this.root, "objects", `${digest}.stamp`);
  }

  #recordFile(key: string): string {
    return join(this.root, "recipes", `${key}.json`);
  }
}

/** Reads a record of an archive. @throws ZodError */
export function parsePartRecord(text: string): PartRecord {
  return recordShape.parse(JSON.parse(text));
}
