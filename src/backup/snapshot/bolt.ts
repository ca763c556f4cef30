/*
 * Reads what bbolt, etcd's store, has written: pages of a B+tree in one file. Source of the layout: go.etcd.io/bbolt,
 * internal/common (page.go, meta.go, bucket.go). All numbers are little-endian.
 */

const MAGIC = 0xed0cdaed;
const PAGE_HEADER = 16;
const ELEMENT = 16;
const BRANCH = 0x01;
const LEAF = 0x02;
const BUCKET_ELEMENT = 0x01;
/** A bucket that small that it lies within its own element has its page behind this header. */
const BUCKET_HEADER = 16;

export interface BoltEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * The entries of a top-level bucket, in the order of their keys.
 * @throws RangeError for what is no bbolt database or has no such bucket
 */
export function* boltBucket(database: Buffer, name: string): Generator<BoltEntry> {
  const { pageSize, root } = newestMeta(database);
  const tree = { database, pageSize };
  const wanted = Buffer.from(name);
  for (const { key, value, bucket } of elements(tree, pageAt(tree, root))) {
    if (!bucket || !key.equals(wanted)) continue;
    const inner = Number(value.readBigUInt64LE(0));
    const page = inner === 0 ? value.subarray(BUCKET_HEADER) : pageAt(tree, inner);
    yield* elements(tree, page);
    return;
  }
  throw new RangeError(`the database has no bucket ${name}`);
}

interface Tree {
  readonly database: Buffer;
  readonly pageSize: number;
}

/** Two pages take turns at being the newest; the one with the higher transaction is. */
function newestMeta(database: Buffer): { readonly pageSize: number; readonly root: number } {
  const first = metaAt(database, 0);
  const pageSize = first?.pageSize ?? 4096;
  const metas = [first, metaAt(database, pageSize)].filter((meta) => meta !== undefined);
  const [newest] = metas.toSorted((one, other) => Number(other.transaction - one.transaction));
  if (newest === undefined) throw new RangeError("this is no bbolt database");
  return newest;
}

function metaAt(database: Buffer, at: number) {
  const meta = database.subarray(at + PAGE_HEADER);
  if (meta.byteLength < 64 || meta.readUInt32LE(0) !== MAGIC) return undefined;
  return {
    pageSize: meta.readUInt32LE(8),
    root: Number(meta.readBigUInt64LE(16)),
    transaction: meta.readBigUInt64LE(48),
  };
}

/** A page with all that overflows from it. */
function pageAt({ database, pageSize }: Tree, id: number): Buffer {
  const at = id * pageSize;
  const overflow = database.readUInt32LE(at + 12);
  return database.subarray(at, at + (overflow + 1) * pageSize);
}

function* elements(tree: Tree, page: Buffer): Generator<BoltEntry & { readonly bucket: boolean }> {
  const flags = page.readUInt16LE(8);
  const count = page.readUInt16LE(10);
  for (let index = 0; index < count; index += 1) {
    const at = PAGE_HEADER + index * ELEMENT;
    if (flags === BRANCH) {
      yield* elements(tree, pageAt(tree, Number(page.readBigUInt64LE(at + 8))));
    } else if (flags === LEAF) {
      const from = at + page.readUInt32LE(at + 4);
      const middle = from + page.readUInt32LE(at + 8);
      const to = middle + page.readUInt32LE(at + 12);
      const bucket = (page.readUInt32LE(at) & BUCKET_ELEMENT) !== 0;
      yield { key: page.subarray(from, middle), value: page.subarray(middle, to), bucket };
    } else {
      throw new RangeError(`a page of the database is of no known kind (${flags})`);
    }
  }
}
