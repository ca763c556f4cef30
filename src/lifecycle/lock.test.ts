import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identify } from "../support/process-identity.ts";
import { withLock } from "./lock.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

const now = () => new Date(0);
const plant = (holder: object) =>
  writeFile(path, JSON.stringify({ host: hostname(), verb: "up", since: "then", ...holder }));

test("the second one is refused and told who holds it, and the lock goes with its holder", async () => {
  await withLock(path, "up", now, async () => {
    await expect(withLock(path, "down", now, async () => undefined)).rejects.toMatchObject({
      code: "lifecycle/locked",
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a failed holder gives the lock back", async () => {
  const failing = withLock(path, "up", now, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await withLock(path, "up", now, async () => "mine")).toBe("mine");
});

test("a dead holder's lock is taken over, also when its pid was used again", async () => {
  await plant({ process: { pid: 999_999_999, started: "1", boot: "b" } });
  expect(await withLock(path, "up", now, async () => "dead")).toBe("dead");
  await plant({ process: { ...(await identify(process.pid)), started: "1" } });
  expect(await withLock(path, "up", now, async () => "reused")).toBe("reused");
  await writeFile(path, "{ torn");
  expect(await withLock(path, "up", now, async () => "torn")).toBe("torn");
});

test("a living holder, and one on another machine, are respected", async () => {
  await plant({ process: await identify(process.pid) });
  await expect(withLock(path, "up", now, async () => undefined)).rejects.toMatchObject({
    code: "lifecycle/locked",
  });
  await plant({ process: { pid: 999_999_999, started: "1", boot: "b" }, host: "elsewhere" });
  await expect(withLock(path, "up", now, async () => undefined)).rejects.toMatchObject({
    code: "lifecycle/locked",
  });
});
