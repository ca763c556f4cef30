import { spawn } from "node:child_process";
import { once } from "node:events";
import { pid } from "node:process";
import { expect, test } from "vitest";
import { endProcess, identify, isAlive, startedFrom } from "./process-identity.ts";

function stat(state: string): string {
  return `42 (a) b (c) ${state} 1 ${"0 ".repeat(17)}777 0`;
}

test("a process is known by its start time, whatever its name holds", () => {
  expect(startedFrom(stat("S"))).toBe("777");
});

test("a zombie is no process", () => {
  expect(startedFrom(stat("Z"))).toBeUndefined();
});

test("the same pid with another start, or of another boot, is another process", async () => {
  const own = await identify(pid);
  if (own === undefined) throw new Error("this process is not found");
  expect(await isAlive(own)).toBe(true);
  expect(await isAlive({ ...own, started: `${own.started}0` })).toBe(false);
  expect(await isAlive({ ...own, boot: "an earlier one" })).toBe(false);
});

test("a process is ended, and its namesake of an earlier time is not", async () => {
  const child = spawn("sleep", ["300"], { stdio: "ignore" });
  const exit = once(child, "exit");
  const identity = await identify(child.pid ?? 0);
  if (identity === undefined) throw new Error("sleep did not start");
  await endProcess({ ...identity, started: "1" });
  expect(await isAlive(identity)).toBe(true);
  await endProcess(identity);
  expect(await isAlive(identity)).toBe(false);
  await exit;
});
