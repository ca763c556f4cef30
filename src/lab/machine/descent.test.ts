import { appendFile, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { POWERED_ON } from "./console.ts";
import { Descents } from "./descent.ts";

const RESET = "[talos] 2026/11/23 18:11:48 reset sequence: 2 phase(s)\n";
const LAST = "[talos] 2026/11/23 18:11:49 phase shutdown (2/2): 1 tasks(s)\n";
const up = { resets: false, inLastPhase: false };

describe("a machine on its way down", () => {
  let folder: string;
  let console: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-descent-"));
    console = join(folder, "console.log");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is heard in whatever pieces it speaks", async () => {
    const descents = new Descents();
    expect(await descents.look(console)).toEqual(up);
    for (const piece of [`${POWERED_ON}\n`, "boot sequence: 8 phase(s)\n", RESET.slice(0, 40)]) {
      await appendFile(console, piece);
      expect(await descents.look(console)).toEqual(up);
    }
    await appendFile(console, RESET.slice(40));
    expect(await descents.look(console)).toEqual({ resets: true, inLastPhase: false });
    await appendFile(console, `phase stopEverything (1/2): 1 tasks(s)\n${LAST}`);
    expect(await descents.look(console)).toEqual({ resets: true, inLastPhase: true });
    expect(await descents.look(console)).toEqual({ resets: true, inLastPhase: true });
  });

  it("does not reset because it reboots or shuts down", async () => {
    await appendFile(console, `${POWERED_ON}\n[talos] phase reboot (3/3): 1 tasks(s)\n`);
    expect(await new Descents().look(console)).toEqual({ resets: false, inLastPhase: true });
  });

  it("is up again with the next boot, also for who begins to listen then", async () => {
    const descents = new Descents();
    await appendFile(console, `${POWERED_ON}\n${RESET}${LAST}`);
    expect(await descents.look(console)).toEqual({ resets: true, inLastPhase: true });
    await appendFile(console, `${POWERED_ON}\nboot sequence: 8 phase(s)\n`);
    expect(await descents.look(console)).toEqual(up);
    expect(await new Descents().look(console)).toEqual(up);
  });

  it("is heard in a console that was put aside meanwhile", async () => {
    const descents = new Descents();
    await appendFile(console, `${POWERED_ON}\n${"x".repeat(500)}`);
    await descents.look(console);
    await truncate(console);
    await appendFile(console, LAST);
    expect(await descents.look(console)).toEqual({ resets: false, inLastPhase: true });
  });
});
