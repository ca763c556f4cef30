import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyDisk, fillDisk } from "./disk.ts";

let folder: string;
let disk: string;
let rootfs: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-disk-"));
  disk = join(folder, "disk");
  rootfs = join(folder, "rootfs");
  await mkdir(join(rootfs, "opt/cni/bin"), { recursive: true });
  await mkdir(join(rootfs, "var/log"), { recursive: true });
  await writeFile(join(rootfs, "opt/cni/bin/bridge"), "plugin");
});
afterEach(() => rm(folder, { recursive: true }));

test("a new disk holds the image's folders, and partitions that the installer formats are empty", async () => {
  await fillDisk(disk, rootfs);
  expect(await readFile(join(disk, "opt/cni/bin/bridge"), "utf8")).toBe("plugin");
  expect(await readdir(join(disk, "var"))).toEqual([]);
  expect(await readdir(join(disk, "etc/kubernetes"))).toEqual([]);
});

test("a filled disk is never filled again", async () => {
  await fillDisk(disk, rootfs);
  await writeFile(join(disk, "opt/cni/bin/bridge"), "changed");
  await fillDisk(disk, rootfs);
  expect(await readFile(join(disk, "opt/cni/bin/bridge"), "utf8")).toBe("changed");
});

test("what a kill in the middle of filling left is thrown away", async () => {
  await mkdir(join(folder, "disk.partial/opt/half"), { recursive: true });
  await fillDisk(disk, rootfs);
  expect(await readdir(join(disk, "opt"))).toEqual(["cni"]);
});

test("an emptied disk is filled from the image again, and emptying twice is the same as once", async () => {
  await fillDisk(disk, rootfs);
  await writeFile(join(disk, "var/etcd"), "data");
  await emptyDisk(disk);
  await emptyDisk(disk);
  await fillDisk(disk, rootfs);
  expect(await readdir(join(disk, "var"))).toEqual([]);
  expect(await readdir(folder)).toEqual(["disk", "rootfs"]);
});
