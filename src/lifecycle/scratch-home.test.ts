import { mkdir, mkdtemp, readFile, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CastleHome, castleHome } from "./home.ts";
import { withScratchHome } from "./scratch-home.ts";

let folder = "";
let home: CastleHome;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-scratch-"));
  home = await castleHome(folder, "fortress");
});
afterEach(() => rm(folder, { recursive: true }));

test("who looks has Terraform's state and provider, and what they write is gone afterwards", async () => {
  await mkdir(join(home.terraform, ".terraform"), { recursive: true });
  await writeFile(join(home.terraform, "terraform.tfstate"), "state");
  await withScratchHome(home, async (scratch) => {
    expect(await readFile(join(scratch.terraform, "terraform.tfstate"), "utf8")).toBe("state");
    expect(await readlink(join(scratch.terraform, ".terraform"))).toBe(join(home.terraform, ".terraform"));
    expect(scratch.gitops).not.toBe(home.gitops);
    await writeFile(join(scratch.terraform, "terraform.tfstate"), "another");
  });
  expect(await readFile(join(home.terraform, "terraform.tfstate"), "utf8")).toBe("state");
  expect(await readdir(home.folder)).toEqual(["terraform"]);
});

test("a castle that has no state yet can be looked at", async () => {
  await withScratchHome(home, async (scratch) => {
    expect(await readdir(scratch.terraform)).toEqual([]);
  });
  expect(await readdir(home.folder)).toEqual([]);
});
