import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { imageMounts, installImages } from "./unpacked-images.ts";

const SNAPSHOTTER = "io.containerd.snapshotter.v1.overlayfs";
const STORE = "var/lib/containerd";

let folder: string;
let images: string;
let disk: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-images-"));
  images = join(folder, "images");
  disk = join(folder, "disk");
  for (const snapshot of ["2", "10"]) {
    await mkdir(join(images, SNAPSHOTTER, "snapshots", snapshot, "fs"), { recursive: true });
    await mkdir(join(images, SNAPSHOTTER, "snapshots", snapshot, "work"));
    await writeFile(join(images, SNAPSHOTTER, "snapshots", snapshot, "fs/program"), `program ${snapshot}`);
  }
  await writeFile(join(images, SNAPSHOTTER, "metadata.db"), "snapshots");
  await mkdir(join(images, "io.containerd.metadata.v1.bolt"));
  await writeFile(join(images, "io.containerd.metadata.v1.bolt/meta.db"), "names");
});
afterEach(() => rm(folder, { recursive: true }));

const inDisk = (path: string) => join(disk, STORE, path);

test("a disk gets records of its own, and places for files that it shares", async () => {
  await installImages(disk, images);
  await writeFile(inDisk("io.containerd.metadata.v1.bolt/meta.db"), "more names");
  expect(await readFile(join(images, "io.containerd.metadata.v1.bolt/meta.db"), "utf8")).toBe("names");
  expect(await readFile(inDisk(`${SNAPSHOTTER}/metadata.db`), "utf8")).toBe("snapshots");
  expect(await readdir(inDisk(`${SNAPSHOTTER}/snapshots/2`))).toEqual(["fs", "work"]);
  expect(await readdir(inDisk(`${SNAPSHOTTER}/snapshots/2/fs`))).toEqual([]);
});

test("the files are mounted read-only where containerd looks for them", async () => {
  await installImages(disk, images);
  expect(await imageMounts(disk)).toEqual(
    ["2", "10"].map((snapshot) => ({
      destination: `/${STORE}/${SNAPSHOTTER}/snapshots/${snapshot}/fs`,
      type: "bind",
      source: join(images, SNAPSHOTTER, "snapshots", snapshot, "fs"),
      options: ["rbind", "ro"],
    })),
  );
});

test("an image that the node removed stays away", async () => {
  await installImages(disk, images);
  await rm(inDisk(`${SNAPSHOTTER}/snapshots/2`), { recursive: true });
  expect((await imageMounts(disk)).map(({ source }) => source)).toEqual([
    join(images, SNAPSHOTTER, "snapshots/10/fs"),
  ]);
});

test("a disk without unpacked images has no mounts", async () => {
  await mkdir(inDisk("of its own"), { recursive: true });
  expect(await imageMounts(disk)).toEqual([]);
  expect(await readdir(join(disk, STORE))).toEqual(["of its own"]);
});

test("where the shared files are gone, the node's store is emptied and it pulls anew", async () => {
  await installImages(disk, images);
  await rm(images, { recursive: true });
  expect(await imageMounts(disk)).toEqual([]);
  expect(await readdir(join(disk, "var/lib"))).toEqual([]);
  expect(await imageMounts(disk)).toEqual([]);
});
