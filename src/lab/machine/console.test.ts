import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { boundConsole, earlierConsole, openConsole, saidSincePowerOn } from "./console.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-console-"));
  path = join(folder, "console.log");
});
afterEach(() => rm(folder, { recursive: true }));

test("only this boot's words count", async () => {
  const first = await openConsole(path);
  await first.write("[talos] reset sequence: 2 phase(s)\n");
  await first.close();
  const second = await openConsole(path);
  await second.write("hello\n");
  await second.close();
  expect(await saidSincePowerOn(path)).toBe("hello\n");
});

test("a console that was put aside is still read, and an open one goes on at its new end", async () => {
  const file = await openConsole(path);
  await file.write("before\n");
  await boundConsole(path, 10);
  await file.write("after\n");
  await file.close();
  expect(await readFile(path, "utf8")).toBe("after\n");
  expect(await readFile(earlierConsole(path), "utf8")).toContain("before\n");
  expect(await saidSincePowerOn(path)).toBe("before\nafter\n");
});

test("a short console is left alone", async () => {
  const file = await openConsole(path);
  await file.close();
  await boundConsole(path, 1000);
  expect(await readFile(path, "utf8")).toContain("powered on");
});
