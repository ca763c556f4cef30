import { kill } from "node:process";
import { expect, it } from "vitest";
import { runProgram } from "./program.ts";

const shell = (script: string, call: Partial<Parameters<typeof runProgram>[2]> = {}) =>
  runProgram("/bin/sh", ["-c", script], { timeout: 60_000, ...call });

it("gives what a program was given, said and ended with", async () => {
  const end = await shell('cat; echo "$WORD" >&2; exit 3', { input: "told", env: { WORD: "said" } });
  expect(end).toMatchObject({ exitCode: 3, endedBy: undefined, stopped: undefined });
  expect([end?.stdout.toString(), end?.stderr.toString()]).toEqual(["told", "said\n"]);
});

it("knows no program that is not there", async () => {
  expect(await runProgram("/nowhere/program", [], { timeout: 60_000 })).toBeUndefined();
});

it("bears a program that does not read what it is given", async () => {
  const end = await shell("exec 0<&-; exit 0", { input: Buffer.alloc(4 * 1024 * 1024) });
  expect(end?.exitCode).toBe(0);
});

it("ends at the deadline what the program started as well, which holds its pipes", async () => {
  const end = await shell("sleep 600 & echo $!; wait", { timeout: 200 });
  expect(end).toMatchObject({ stopped: "late", exitCode: undefined, endedBy: "SIGTERM" });
  expect(await stateOf(end?.stdout.toString())).toMatch(/^(?:Z|$)/);
});

it("ends one that does not listen, and does not wait for who left it", async () => {
  const end = await shell("trap '' TERM; setsid sleep 20 & echo $!; while :; do sleep 1; done", {
    timeout: 200,
  });
  expect(end).toMatchObject({ stopped: "late", endedBy: "SIGKILL" });
  kill(Number(end?.stdout.toString()), "SIGKILL");
});

it("ends when it is interrupted, also before it began", async () => {
  const { signal, abort } = interruption();
  const running = shell("sleep 600", { signal });
  abort();
  expect((await running)?.stopped).toBe("interrupted");
  expect((await shell("sleep 600", { signal }))?.stopped).toBe("interrupted");
});

/** As ps tells it; Z: it has ended, and nobody has asked how. */
async function stateOf(pid = "0"): Promise<string> {
  const end = await runProgram("ps", ["-o", "stat=", "-p", pid.trim()], { timeout: 60_000 });
  return end?.stdout.toString() ?? "no ps";
}

function interruption() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
