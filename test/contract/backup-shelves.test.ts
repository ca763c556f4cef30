import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backupFileName } from "../../src/backup/file-name.ts";
import { keptBackups, removeBackup, writeProof } from "../../src/backup/kept-backups.ts";
import { folderShelf } from "../../src/backup/shelf/folder.ts";
import { parseS3Address, s3Shelf } from "../../src/backup/shelf/s3/s3.ts";
import type { Shelf } from "../../src/backup/shelf/shelf.ts";
import { Secret } from "../../src/support/secret.ts";
import { KEY, S3Server } from "./backup/s3-server.ts";

let s3: S3Server;
let folder = "";
beforeAll(async () => {
  s3 = await S3Server.start();
  folder = await mkdtemp(join(tmpdir(), "castle-shelf-"));
});
afterAll(async () => {
  await s3.stop();
  await rm(folder, { recursive: true });
});

function bucket(address: string, change: { secret?: string; endpoint?: string } = {}): Shelf {
  return s3Shelf({
    ...parseS3Address(address),
    endpoint: change.endpoint ?? s3.endpoint,
    credentials: {
      accessKey: KEY.access,
      secretKey: new Secret(change.secret ?? KEY.secret),
      region: KEY.region,
    },
    now: () => new Date(),
    signal: new AbortController().signal,
  });
}

const name = (day: number) => backupFileName({ castle: "fortress", taken: new Date(Date.UTC(2026, 5, day)) });
const proof = { sha256: "ab", at: "2026-06-09T00:00:00.000Z", objects: 3 };

describe.each([
  ["a folder", () => folderShelf(join(folder, "made", "on demand"))],
  ["a bucket", () => bucket("s3://backups/castles & more/fortress/")],
])("%s", (_, open) => {
  it("keeps what it is given, lists it newest first, and forgets what is removed", async () => {
    const shelf = open();
    expect(await keptBackups(shelf, "fortress")).toEqual([]);
    expect(await shelf.read(name(1))).toBeUndefined();
    for (const day of [2, 1, 3, 4]) await shelf.write(name(day), Buffer.alloc(day * 1000, day));
    await shelf.write("notes.txt", Buffer.from("not a backup"));
    await shelf.write(
      backupFileName({ castle: "other", taken: new Date() }),
      Buffer.from("another castle's"),
    );
    await writeProof(shelf, name(2), proof);
    const kept = await keptBackups(shelf, "fortress");
    expect(kept.map((one) => one.name)).toEqual([name(4), name(3), name(2), name(1)]);
    expect(kept.map(({ bytes }) => bytes)).toEqual([4000, 3000, 2000, 1000]);
    expect(kept.map((one) => one.proof)).toEqual([undefined, undefined, proof, undefined]);
    expect((await shelf.read(name(3)))?.equals(Buffer.alloc(3000, 3))).toBe(true);
    await removeBackup(shelf, name(2));
    await removeBackup(shelf, name(2));
    expect((await keptBackups(shelf, "fortress")).map((one) => one.name)).toEqual([
      name(4),
      name(3),
      name(1),
    ]);
    expect((await shelf.list()).some((item) => item.name.endsWith("proof.json"))).toBe(false);
  });
});

describe("a folder's files", () => {
  it("are for their owner alone, and a place that is none is told", async () => {
    const shelf = folderShelf(join(folder, "private"));
    await shelf.write(name(1), Buffer.from("x"));
    expect((await stat(join(folder, "private", name(1)))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "private"))).mode & 0o777).toBe(0o700);
    await mkdir(join(folder, "odd"));
    await writeFile(join(folder, "odd", "file"), "");
    const wrong = folderShelf(join(folder, "odd", "file"));
    await expect(wrong.list()).rejects.toMatchObject({ code: "backup/place" });
    await expect(wrong.write("a", Buffer.from("x"))).rejects.toMatchObject({ code: "backup/place" });
  });
});

describe("a bucket's server", () => {
  it("refuses another secret key, in its own words", async () => {
    await expect(bucket("s3://backups/x", { secret: "wrong" }).list()).rejects.toMatchObject({
      code: "backup/place",
      message: expect.stringContaining("SignatureDoesNotMatch"),
    });
  });

  it("that is busy is asked again, and one that stays so is told", async () => {
    const shelf = bucket("s3://backups/busy");
    s3.busy = 2;
    await shelf.write("a", Buffer.from("x"));
    expect((await shelf.read("a"))?.toString()).toBe("x");
    s3.busy = 3;
    await expect(shelf.list()).rejects.toMatchObject({ message: expect.stringContaining("503") });
  });

  it("that has no such bucket, or is not there, is told", async () => {
    await expect(bucket("s3://elsewhere").list()).rejects.toMatchObject({
      message: expect.stringContaining("no bucket elsewhere"),
    });
    const nobody = bucket("s3://backups", { endpoint: "http://127.0.0.1:9" });
    await expect(nobody.list()).rejects.toMatchObject({
      message: expect.stringContaining("does not answer"),
    });
    expect(() => parseS3Address("s3://No_Bucket/x")).toThrow(
      expect.objectContaining({ code: "backup/place" }),
    );
  });
});
