import { expect, test } from "vitest";
import { identityFrom } from "./process.ts";

function stat(state: string): string {
  return `42 (a) b (c) ${state} 1 ${"0 ".repeat(17)}777 0`;
}

test("a process is known by its start time, whatever its name holds", () => {
  expect(identityFrom(42, stat("S"))).toEqual({ pid: 42, startTime: 777 });
});

test("a zombie is no process", () => {
  expect(identityFrom(42, stat("Z"))).toBeUndefined();
});
