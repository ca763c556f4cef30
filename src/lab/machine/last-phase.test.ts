import { appendFile, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { POWERED_ON } from "./console.ts";
import { LastPhases } from "./last-phase.ts";

const SHUTDOWN = "[talos] 2026/11/23 18:11:49 phase shutdown (2/2): 1 tasks(s)\n";

describe("a machine's last phase", () => {
  let folder: string;
  let console: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-last-phase-"));
    console = join(folder, "console.log");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is found once, in whatever pieces it is written", async () => {
    const phases = new LastPhases();
    expect(await phases.begins(console)).toBe(false);
    for (const piece of [`${POWERED_ON}\n`, "phase stopEverything (1/2)\n", SHUTDOWN.slice(0, 40)]) {
      await appendFile(console, piece);
      expect(await phases.begins(console)).toBe(false);
    }
    await appendFile(console, SHUTDOWN.slice(40));
    expect(await phases.begins(console)).toBe(true);
    await appendFile(console, "[talos] killed 6 procs with terminated\n");
    expect(await phases.begins(console)).toBe(false);
  });

  it("of an earlier boot is none of this one", async () => {
    await appendFile(console, `${POWERED_ON}\n${SHUTDOWN}${POWERED_ON}\nboot sequence: 8 phase(s)\n`);
    expect(await new LastPhases().begins(console)).toBe(false);
  });

  it("is found again in the next boot, and in a console that was put aside meanwhile", async () => {
    const phases = new LastPhases();
    await appendFile(console, `${POWERED_ON}\n${SHUTDOWN}`);
    expect(await phases.begins(console)).toBe(true);
    await appendFile(console, `${POWERED_ON}\n[talos] phase reboot (3/3): 1 tasks(s)\n`);
    expect(await phases.begins(console)).toBe(true);
    await truncate(console);
    await appendFile(console, `${POWERED_ON}\n`);
    expect(await phases.begins(console)).toBe(false);
    await appendFile(console, SHUTDOWN);
    expect(await phases.begins(console)).toBe(true);
  });
});
