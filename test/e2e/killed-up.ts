import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { CastleCommand } from "./castle-command.ts";

export interface Moment {
  /** The line of progress that the moment is counted from. */
  readonly after: RegExp;
  /** Milliseconds from that line to the kill. */
  readonly delay: number;
}

export interface Killed {
  /** Lines of progress before the kill. */
  readonly lines: readonly string[];
  /** False: `up` had ended before its moment came. */
  readonly killed: boolean;
}

/** Runs `castle up` and kills it with SIGKILL at that moment: nothing of it can tidy up. */
export async function killUp(castle: CastleCommand, moment: Moment): Promise<Killed> {
  const process = castle.start("up");
  const ended = process.then((result) => result);
  const lines: string[] = [];
  const reached = new Promise<void>((resolve) => {
    createInterface({ input: process.stderr }).on("line", (line) => {
      lines.push(line);
      if (moment.after.test(line)) resolve();
    });
  });
  await Promise.race([reached, ended]);
  await Promise.race([delay(moment.delay), ended]);
  const before = [...lines];
  process.kill("SIGKILL");
  const { signal } = await ended;
  castle.keep(lines.join("\n"));
  return { lines: before, killed: signal === "SIGKILL" };
}
