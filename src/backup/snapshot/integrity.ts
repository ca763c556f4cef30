import { createHash } from "node:crypto";
import { CastleError } from "../../errors/castle-error.ts";

/** etcd appends the database's SHA-256 to what it streams; the database itself is whole pages. */
const HASH = 32;
const SECTOR = 512;

/**
 * The database within a snapshot, once its hash says that it is whole. The rule is etcd's own: what is left over behind
 * whole sectors is the hash (etcdutl, snapshot/v3_snapshot.go).
 * @throws CastleError backup/damaged
 */
export function databaseOf(snapshot: Buffer, name: string): Buffer {
  const size = snapshot.byteLength - HASH;
  if (size <= 0 || size % SECTOR !== 0) {
    throw damaged(name, `its ${snapshot.byteLength} bytes are no whole database with its hash`);
  }
  const database = snapshot.subarray(0, size);
  const hash = createHash("sha256").update(database).digest();
  if (!hash.equals(snapshot.subarray(size))) throw damaged(name, "its SHA-256 does not fit");
  return database;
}

function damaged(name: string, why: string): CastleError {
  return new CastleError("backup/damaged", {
    message: `The etcd snapshot of ${name} is not whole: ${why}`,
    hint: "castle backups lists the others",
  });
}
