import { createInterface } from "node:readline";
import type { CastleCommand } from "./castle-command.ts";

export interface KilledVerb {
  /** The steps that had begun, the last of them the one that it was killed in. */
  readonly steps: readonly string[];
  /** False: it had ended before so many steps began. */
  readonly killed: boolean;
}

/** Runs a verb and ends it with SIGKILL as soon as its nth step begins: nothing of castle can tidy up. */
export async function killAtStep(
  castle: CastleCommand,
  nth: number,
  ...args: readonly string[]
): Promise<KilledVerb> {
  const process = castle.start(...args);
  const steps: string[] = [];
  const lines: string[] = [];
  createInterface({ input: process.stderr }).on("line", (line) => {
    lines.push(line);
    const step = /^… (.+)$/.exec(line)?.[1];
    if (step === undefined) return;
    steps.push(step);
    if (steps.length === nth) process.kill("SIGKILL");
  });
  const { signal } = await process;
  castle.keep(lines.join("\n"));
  return { steps, killed: signal === "SIGKILL" };
}
