import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeCopy } from "./kept-copy.ts";

const REMOTE = { url: "https://git.lan/castle.git", branch: "main" };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "castle-kept-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function leave(text: string, remote = REMOTE) {
  const copy = await takeCopy(root, remote);
  await mkdir(copy.folder, { recursive: true });
  await writeFile(join(copy.folder, "HEAD"), text);
  return copy;
}

const found = async (remote = REMOTE) => {
  const copy = await takeCopy(root, remote);
  return readFile(join(copy.folder, "HEAD"), "utf8").catch(() => undefined);
};

test("what a run gives back is there for the next one of the same branch", async () => {
  await (await leave("first")).giveBack();
  expect(await readdir(root)).toHaveLength(1);
  expect(await found({ ...REMOTE, branch: "other" })).toBeUndefined();
  expect(await found()).toBe("first");
});

test("a run beside it starts empty, and of two that give back one stays", async () => {
  const first = await leave("first");
  const second = await leave("second");
  await first.giveBack();
  await second.giveBack();
  expect(await readdir(root)).toHaveLength(1);
  expect(await found()).toBe("first");
});

test("what was not given back is not taken by another", async () => {
  await leave("cut off");
  expect(await found()).toBeUndefined();
});

test("a copy that is worn goes", async () => {
  const worn = await leave("worn");
  const objects = join(worn.folder, "objects", "17");
  await mkdir(objects, { recursive: true });
  for (let count = 0; count < 28; count += 1) await writeFile(join(objects, String(count)), "");
  await worn.giveBack();
  expect(await readdir(root)).toEqual([]);
});

test("nobody else can read it", async () => {
  const { folder } = await takeCopy(join(root, "new"), REMOTE);
  expect((await stat(join(folder, ".."))).mode & 0o077).toBe(0);
  expect((await stat(join(root, "new"))).mode & 0o077).toBe(0);
});
