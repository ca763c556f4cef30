import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { compareRestored, differenceOf } from "../../src/backup/snapshot/difference.ts";
import { EtcdHistory } from "../../src/backup/snapshot/history.ts";
import { databaseOf } from "../../src/backup/snapshot/integrity.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { EtcdServer } from "./backup/etcd.ts";

const PORT = 23_790;

const toldShape = z.object({
  header: z.object({ revision: z.int() }),
  kvs: z.array(
    z.object({ key: z.string(), value: z.string(), create_revision: z.int(), mod_revision: z.int() }),
  ),
});

/** Snapshots of a real etcd, read by castle and asked of etcdctl. */
describe.skipIf(!canRunLab)("an etcd snapshot", () => {
  let etcd: EtcdServer;

  beforeAll(async () => {
    etcd = await EtcdServer.start(PORT);
    for (let index = 0; index < 60; index += 1) {
      await etcd.ctl("put", `/registry/things/ns/${index}`, `v${index}`);
    }
    // A value that needs pages of its own behind its leaf, one written again, one deleted, one made anew.
    await etcd.ctl("put", "/registry/large", "x".repeat(100_000));
    await etcd.ctl("put", "/registry/things/ns/1", "again");
    await etcd.ctl("del", "/registry/things/ns/2");
    await etcd.ctl("put", "/other/key", "not Kubernetes'");
    await etcd.ctl("del", "/registry/things/ns/3");
    await etcd.ctl("put", "/registry/things/ns/3", "anew");
  });
  afterAll(() => etcd.stop());

  async function snapshot(name: string): Promise<Buffer> {
    const path = join(etcd.folder, name);
    await etcd.ctl("snapshot", "save", path);
    return readFile(path);
  }

  it("holds what etcd says that it holds", async () => {
    const history = new EtcdHistory(databaseOf(await snapshot("whole.db"), "whole"));
    const told = toldShape.parse(JSON.parse(await etcd.ctl("get", "", "--prefix", "-w", "json")));
    expect(history.revision).toBe(BigInt(told.header.revision));
    const keys = [...history.keysAt()].toSorted(([one], [other]) => (one < other ? -1 : 1));
    expect(
      keys.map(([key, { value, created, modified }]) => [key, value.toString(), created, modified]),
    ).toEqual(
      told.kvs.map(({ key, value, create_revision: created, mod_revision: modified }) => [
        Buffer.from(key, "base64").toString(),
        Buffer.from(value, "base64").toString(),
        BigInt(created),
        BigInt(modified),
      ]),
    );
    expect(history.objects).toBe(told.kvs.length - 1);
  });

  it("is refused where a byte of it is another, or its end is missing", async () => {
    const whole = await snapshot("damage.db");
    const flipped = Buffer.from(whole);
    flipped[10_000] = (flipped[10_000] ?? 0) ^ 1;
    for (const broken of [flipped, whole.subarray(0, -1), whole.subarray(0, -512), Buffer.alloc(0)]) {
      expect(() => databaseOf(broken, "broken")).toThrow(expect.objectContaining({ code: "backup/damaged" }));
    }
  });

  it("tells what was made, changed and deleted since, and what a living cluster still had at its revision", async () => {
    const before = new EtcdHistory(databaseOf(await snapshot("before.db"), "before"));
    await etcd.ctl("put", "/registry/things/ns/new", "made");
    await etcd.ctl("put", "/registry/things/ns/5", "changed");
    await etcd.ctl("del", "/registry/things/ns/6");
    const after = new EtcdHistory(databaseOf(await snapshot("after.db"), "after"));
    expect(differenceOf(before.keysAt(), after.keysAt())).toEqual({
      same: before.objects - 2,
      missing: ["/registry/things/ns/6"],
      changed: ["/registry/things/ns/5"],
      added: ["/registry/things/ns/new"],
    });
    expect(compareRestored(before, after)).toEqual({
      same: before.objects,
      missing: [],
      changed: [],
      added: [],
    });
    // The one that lost its history lost what stood there then.
    await etcd.ctl("compact", String(after.revision));
    const compacted = new EtcdHistory(databaseOf(await snapshot("compacted.db"), "compacted"));
    expect(compareRestored(before, compacted).missing).toEqual(
      expect.arrayContaining(["/registry/things/ns/5", "/registry/things/ns/6"]),
    );
  });
});
