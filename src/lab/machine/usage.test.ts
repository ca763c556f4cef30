import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cgroupChildren, cgroupFolders, cgroupProcesses } from "./cgroup.ts";
import { usage } from "./usage.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "castle-cgroup-"));
});
afterEach(() => rm(root, { recursive: true }));

async function plant(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

test("version 1: usage less the inactive cache of the whole tree", async () => {
  await plant({
    "memory/castle/x/101/memory.usage_in_bytes": "1000\n",
    "memory/castle/x/101/memory.stat": "inactive_file 1\ntotal_inactive_file 300\n",
    "pids/castle/x/101/cgroup.procs": "7\n",
    "pids/castle/x/101/init/cgroup.procs": "8\n9\n",
  });
  expect(await usage("x", root)).toEqual([{ vmid: 101, memory: 700 }]);
  expect(await cgroupProcesses("/castle/x", root)).toEqual([7, 8, 9]);
});

test("version 2: one tree holds everything", async () => {
  await plant({
    "castle/x/101/memory.current": "5000\n",
    "castle/x/101/memory.stat": "anon 9\ninactive_file 1000\n",
    "castle/x/102/memory.current": "70\n",
    "castle/x/102/memory.stat": "inactive_file 0\n",
  });
  expect(await usage("x", root)).toEqual([
    { vmid: 101, memory: 4000 },
    { vmid: 102, memory: 70 },
  ]);
});

test("a lab that is not there uses nothing", async () => {
  await plant({ "memory/castle/y/101/cgroup.procs": "" });
  expect(await usage("x", root)).toEqual([]);
  expect(await cgroupFolders("/castle/x", root)).toEqual([]);
  expect(await cgroupChildren("/castle", root)).toEqual(["y"]);
});
