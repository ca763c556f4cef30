import { describe, expect, test } from "vitest";
import { exitCause } from "./exit-cause.ts";

const boot = "[talos] 2026/11/23 03:42:31 boot sequence: 8 phase(s)\n";
const reset = `${boot}[talos] reset request received. actorID: 1
[talos] reset sequence: 2 phase(s)
[talos] phase stopEverything (1/2): 1 tasks(s)
[talos] phase shutdown (2/2): 1 tasks(s)
[talos] sync done
`;
const shutdown = `${boot}[talos] shutdown via SIGTERM received
[talos] shutdown sequence: 5 phase(s)
[talos] phase stopEverything (4/5): 1 tasks(s)
[talos] phase shutdown (5/5): 1 tasks(s)
`;
const reboot = `${boot}[talos] reboot sequence: 4 phase(s)
[talos] phase stopEverything (3/4): 1 tasks(s)
[talos] phase reboot (4/4): 1 tasks(s)
`;

describe("with the exit code seen", () => {
  test.each([
    ["power-off after a Reset", 130, reset, { kind: "reset", reboot: false }],
    ["power-off after a shutdown", 130, shutdown, { kind: "shut-down" }],
    ["restart", 129, reboot, { kind: "reboot-requested" }],
    ["restart after a Reset that failed: nothing is wiped", 129, reset, { kind: "reboot-requested" }],
  ])("%s", (_, code, said, expected) => {
    expect(exitCause(code, said)).toEqual(expected);
  });

  test("a kill in the middle of a Reset is a crash, and wipes nothing", () => {
    expect(exitCause(137, reset)).toMatchObject({ kind: "crashed" });
  });

  test("a crash tells the code and the last words", () => {
    expect(exitCause(2, `${boot}panic: runtime error\n`)).toEqual({
      kind: "crashed",
      detail: `init ended with exit code 2; its console ends with: ${boot.trim()} | panic: runtime error`,
    });
  });
});

describe("with nobody left to see the exit code", () => {
  test.each([
    ["a finished Reset", reset, { kind: "reset", reboot: false }],
    ["a finished shutdown", shutdown, { kind: "shut-down" }],
    ["a finished reboot", reboot, { kind: "reboot-requested" }],
    ["a host that lost power", boot, undefined],
    [
      "a host that lost power in the middle of a Reset",
      reset.split("[talos] phase shutdown")[0] ?? "",
      undefined,
    ],
    ["an empty console", "", undefined],
  ])("%s", (_, said, expected) => {
    expect(exitCause(undefined, said)).toEqual(expected);
  });
});
