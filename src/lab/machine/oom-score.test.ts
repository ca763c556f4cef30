import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../support/run.ts";
import { PLAIN_INIT } from "./oci-spec.ts";
import { oomScoreChange, RUNC_WRAPPER } from "./oom-score.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-oom-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a host with CAP_SYS_RESOURCE changes nothing", async () => {
  expect(await oomScoreChange(folder, folder, ["CAP_SYS_RESOURCE"])).toEqual(PLAIN_INIT);
});

test("the wrapper takes the place of the root file system's runc, whose own folder stays reachable", async () => {
  const rootfs = join(folder, "rootfs");
  await mkdir(join(rootfs, "usr/bin"), { recursive: true });
  await writeFile(join(rootfs, "usr/bin/runc"), "real");
  const change = await oomScoreChange(folder, rootfs, []);
  expect(change?.mounts.map(({ source, destination }) => [source, destination])).toEqual([
    [join(folder, "uid-map"), "/.castle-uid-map"],
    [join(rootfs, "usr/bin"), "/.castle-runc"],
    [join(folder, "runc"), "/usr/bin/runc"],
  ]);
  expect(await readFile(join(rootfs, "usr/bin/runc"), "utf8")).toBe("real");
});

test("a negative score in a bundle becomes 0, and runc gets its arguments as they were", async () => {
  const wrapper = join(folder, "runc");
  await writeFile(wrapper, RUNC_WRAPPER.replace("/.castle-runc/runc", "/bin/echo"), { mode: 0o755 });
  const config = { process: { args: ["a b"], oomScoreAdj: -998 }, annotations: { note: '"oomScoreAdj":-5' } };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const { stdout } = await run(wrapper, ["--root", "/run/x", "create", "--bundle", folder, "name"]);
  expect(stdout).toBe(`--root /run/x create --bundle ${folder} name`);
  expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))).toEqual({
    ...config,
    process: { ...config.process, oomScoreAdj: 0 },
  });
});
