import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identify } from "../support/process-identity.ts";
import { lockHolder } from "../support/process-lock.ts";
import { withLock } from "./lock.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true }));

const nobody = { pid: 999_999_999, started: "1", boot: "b" };
const plant = (holder: object) =>
  writeFile(path, JSON.stringify({ host: hostname(), work: "up", mark: "m", ...holder }));
const taken = (answer: string) => withLock(path, "up", async () => answer);

test("the second one is refused and told who holds it, and the lock goes with its holder", async () => {
  await withLock(path, "up", async () => {
    expect((await lockHolder(path))?.process.pid).toBe(process.pid);
    await expect(withLock(path, "down", async () => undefined)).rejects.toMatchObject({
      code: "lifecycle/locked",
      message: expect.stringContaining(`castle up is at work on this castle: process ${process.pid}`),
    });
  });
  expect(await readdir(folder)).toEqual([]);
});

test("of many that come at once exactly one works at a time", async () => {
  await plant({ process: nobody });
  let inside = 0;
  const work = () =>
    withLock(path, "up", async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, work));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
  expect(refusals.length).toBeLessThan(outcomes.length);
  expect(refusals).toEqual(refusals.map(() => expect.objectContaining({ code: "lifecycle/locked" })));
  expect(await readdir(folder)).toEqual([]);
});

test("a failed holder gives the lock back", async () => {
  const failing = withLock(path, "up", () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await taken("mine")).toBe("mine");
});

test("a dead holder's lock is taken over, also when its pid was used again or the host restarted", async () => {
  const own = await identify(process.pid);
  await plant({ process: nobody });
  expect(await taken("dead")).toBe("dead");
  await plant({ process: { ...own, started: "1" } });
  expect(await taken("reused")).toBe("reused");
  await plant({ process: { ...own, boot: "earlier" } });
  expect(await taken("restarted")).toBe("restarted");
  await writeFile(path, "{ torn");
  expect(await taken("torn")).toBe("torn");
});

test("a living holder, and one on another machine, are respected", async () => {
  await plant({ process: await identify(process.pid) });
  await expect(taken("no")).rejects.toMatchObject({ code: "lifecycle/locked" });
  await plant({ process: nobody, host: "elsewhere" });
  await expect(taken("no")).rejects.toMatchObject({ code: "lifecycle/locked" });
});
