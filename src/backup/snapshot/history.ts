import { boltBucket } from "./bolt.ts";

/** Where Kubernetes keeps its objects in etcd. */
export const REGISTRY = "/registry/";

/** A key as it stood at some revision. */
export interface KeyState {
  readonly value: Buffer;
  /** When the key came into being and when it was last written, in etcd's count. */
  readonly created: bigint;
  readonly modified: bigint;
}

export type Keys = ReadonlyMap<string, KeyState>;

/** All writes that an etcd database still holds, in their order. */
export class EtcdHistory {
  /** Of the newest write. */
  readonly revision: bigint;
  readonly #writes: readonly Write[];

  /**
   * @param database without the hash behind it
   * @throws RangeError for what is no database of etcd's
   */
  constructor(database: Buffer) {
    this.#writes = [...boltBucket(database, "key")].map(({ key, value }) => writeOf(key, value));
    this.revision = this.#writes.at(-1)?.revision ?? 0n;
  }

  /** How many of Kubernetes' objects stand in the newest state. */
  get objects(): number {
    return [...this.keysAt().keys()].filter((key) => key.startsWith(REGISTRY)).length;
  }

  /** What stood there after that revision; the newest unless told. Before a compaction nothing can be told exactly. */
  keysAt(revision: bigint = this.revision): Keys {
    const keys = new Map<string, KeyState>();
    for (const { revision: written, key, state } of this.#writes) {
      if (written > revision) break;
      if (state === undefined) keys.delete(key);
      else keys.set(key, state);
    }
    return keys;
  }
}

interface Write {
  readonly revision: bigint;
  readonly key: string;
  /** Undefined: deleted. */
  readonly state: KeyState | undefined;
}

/** Revision (8 bytes), `_`, place within it (8 bytes), and `t` for a deletion. Source: etcd, server/storage/mvcc. */
const TOMBSTONE_LENGTH = 18;

function writeOf(id: Buffer, record: Buffer): Write {
  const fields = fieldsOf(record);
  const key = (fields.bytes.get(FIELD.key) ?? Buffer.alloc(0)).toString("utf8");
  const deleted = id.byteLength === TOMBSTONE_LENGTH;
  return {
    revision: id.readBigUInt64BE(0),
    key,
    state: deleted
      ? undefined
      : {
          value: fields.bytes.get(FIELD.value) ?? Buffer.alloc(0),
          created: fields.numbers.get(FIELD.created) ?? 0n,
          modified: fields.numbers.get(FIELD.modified) ?? 0n,
        },
  };
}

/** Of the message mvccpb.KeyValue. */
const FIELD = { key: 1, created: 2, modified: 3, value: 5 } as const;
const VARINT = 0;
const BYTES = 2;

function fieldsOf(record: Buffer) {
  const numbers = new Map<number, bigint>();
  const bytes = new Map<number, Buffer>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = record.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < record.byteLength) {
    const tag = Number(varint());
    const [field, kind] = [tag >> 3, tag & 7];
    if (kind === VARINT) {
      numbers.set(field, varint());
    } else if (kind === BYTES) {
      const length = Number(varint());
      bytes.set(field, record.subarray(at, at + length));
      at += length;
    } else {
      throw new RangeError(`a record of etcd's has a field of an unknown kind (${kind})`);
    }
  }
  return { numbers, bytes };
}
