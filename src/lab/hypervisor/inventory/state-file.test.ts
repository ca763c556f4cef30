import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newRecord } from "./record.ts";
import { StateFile } from "./state-file.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-state-"));
  path = join(folder, "hypervisor.json");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the state file", () => {
  it("gives back what was saved", async () => {
    const file = await StateFile.open(path);
    file.state.vms.set(100, { ...newRecord(100, "pve1"), options: { cores: "2" }, onWanted: true });
    await file.save();
    expect((await StateFile.open(path)).state).toEqual(file.state);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("holds every change that was made before a save, however many run at once", async () => {
    const file = await StateFile.open(path);
    const numbers = Array.from({ length: 50 }, (_, index) => 100 + index);
    await Promise.all(
      numbers.map(async (vmid) => {
        file.state.vms.set(vmid, newRecord(vmid, "pve1"));
        await file.save();
        expect(await readFile(path, "utf8")).toContain(`"vmid": ${vmid}`);
      }),
    );
    expect([...(await StateFile.open(path)).state.vms.keys()]).toEqual(numbers);
  });

  it("saves again after a save that failed", async () => {
    const file = await StateFile.open(join(folder, "sub", "hypervisor.json"));
    await rm(folder, { recursive: true });
    await writeFile(folder, "a file where the folder should be");
    await expect(file.save()).rejects.toThrow(/ENOTDIR|EEXIST/);
    await rm(folder);
    await expect(file.save()).resolves.toBeUndefined();
  });
});
