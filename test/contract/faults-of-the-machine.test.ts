import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { FaultFolder, SYSTEM_PATH } from "../fixtures/fault-folder.ts";
import { canRunLab } from "../fixtures/parts.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/small-build.ts", import.meta.url));

let here: FaultFolder;
let folder = "";
beforeAll(async () => {
  here = await FaultFolder.make();
  folder = here.path;
  await writeFile(join(folder, "castle.yaml"), "castle: siege\nhypervisor: {lab: {name: t-lacking}}\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!canRunLab)("on a machine that lacks something", () => {
  test("not root", async () => {
    const asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    expect(await here.told(["up"], { before: asNobody })).toMatchObject({
      exit: 1,
      code: "lab/not-root",
      hint: expect.stringContaining("sudo"),
    });
  });

  test("no Terraform", async () => {
    expect(await here.told(["up"], { env: { PATH: SYSTEM_PATH } })).toMatchObject({
      exit: 1,
      code: "infra/terraform-missing",
      hint: expect.stringContaining("install Terraform"),
    });
  });

  test("no Go where parts have to be built", async () => {
    const parts = join(folder, "no-parts");
    expect(await here.told(["up"], { env: { PATH: SYSTEM_PATH, CASTLE_PARTS: parts } })).toMatchObject({
      exit: 1,
      code: "parts/tools-missing",
      message: expect.stringContaining("go"),
    });
  });

  test("a Go that is too old", async () => {
    const old = join(folder, "old-go");
    await mkdir(old);
    await writeFile(join(old, "go"), "#!/bin/sh\necho go1.24.1\n", { mode: 0o755 });
    const env = { PATH: `${old}:${SYSTEM_PATH}`, CASTLE_PARTS: join(folder, "no-parts") };
    expect(await here.told(["parts", "build"], { env })).toMatchObject({
      exit: 1,
      code: "parts/tools-missing",
      message: expect.stringMatching(/go 1\.26\.\d+ or newer \(here is go1\.24\.1\)/),
      hint: expect.stringContaining("install Go 1.26"),
    });
  });

  test("a disk that is full in the middle of a build, and has room again", { timeout: 120_000 }, async () => {
    const small = join(folder, "full");
    await mkdir(small);
    // Room for bytes enough, but for 300 files: full once Go has made its cache and starts to compile.
    const script = `mount -t tmpfs -o size=8g,nr_inodes=300 none "$0" && "$@" && ls -A "$0/store"
mount -o remount,nr_inodes=1m "$0" && "$@" && "$0"/store/objects/*/greeter 2>&1`;
    const build = [process.execPath, "--import", "tsx", FIXTURE, small];
    const { stdout } = await execa("unshare", ["--mount", "sh", "-c", script, small, ...build]);
    const [first = "", ...rest] = stdout.split("\n");
    expect(JSON.parse(first)).toMatchObject({
      code: "parts/disk-full",
      message: expect.stringMatching(/greeter v1\.0\.0 .*disk of .* is full/),
      hint: expect.stringContaining("castle parts build"),
      states: ["missing"],
    });
    // Neither caches nor halves: only where they were made.
    expect(rest.slice(0, -2)).toEqual(["staging"]);
    expect(JSON.parse(rest.at(-2) ?? "")).toEqual({ code: "", states: ["whole"] });
    expect(rest.at(-1)).toBe("hello");
  });

  test("no free disk for the lab", async () => {
    const labs = join(folder, "labs");
    await mkdir(labs);
    const script = 'mount -t tmpfs -o size=64m none "$0" && exec "$@"';
    const before = ["unshare", "--mount", "sh", "-c", script, labs];
    expect(await here.told(["up"], { before })).toMatchObject({
      exit: 1,
      code: "lab/disk-full",
      message: expect.stringContaining(labs),
      hint: expect.stringContaining("CASTLE_LABS"),
    });
    expect(await census({ labs: { name: "t-lacking" }, states: labs })).toEqual([]);
  });

  test("no free disk for the parts", async () => {
    const small = join(folder, "small");
    await mkdir(small);
    // A file system of its own in a mount namespace of its own: it goes with the process.
    const script = 'mount -t tmpfs -o size=64m none "$0" && exec "$@"';
    const before = ["unshare", "--mount", "sh", "-c", script, small];
    expect(await here.told(["parts", "build"], { env: { CASTLE_PARTS: small }, before })).toMatchObject({
      exit: 1,
      code: "parts/disk-full",
      message: expect.stringContaining(small),
    });
  });
});
