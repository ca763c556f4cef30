import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openScratch } from "./scratch-folder.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "castle-scratch-test-"));
});
afterEach(() => rm(root, { recursive: true }));

it("is the user's alone, and goes when its run is over", async () => {
  const folder = await openScratch("work", root);
  expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
  await folder.remove();
  expect(await readdir(root)).toEqual([]);
});

it("removes what a killed run left, and nothing of a living one, another purpose or another container", async () => {
  const living = await openScratch("work", root);
  const name = basename(living.path);
  const [, , namespace = "", pid = "", mark = ""] = name.split("-");
  const kept = [
    name,
    `castle-other-${namespace}-999999999-${mark}-aaaaaa`,
    `castle-work-${Number(namespace) + 1}-999999999-${mark}-aaaaaa`,
    "castle-work-of-somebody",
  ];
  const dead = [
    `castle-work-${namespace}-999999999-${mark}-aaaaaa`,
    // The number is taken again, by a process that began at another time.
    `castle-work-${namespace}-${pid}-000000000000-aaaaaa`,
  ];
  for (const one of [...kept.slice(1), ...dead]) await mkdir(join(root, one));
  await (await openScratch("work", root)).remove();
  expect((await readdir(root)).toSorted()).toEqual(kept.toSorted());
});
