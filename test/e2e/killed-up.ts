import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { CastleCommand } from "./castle-command.ts";

/** How castle ends where it was told to by Ctrl-C. */
const INTERRUPTED = 130;

export interface Moment {
  /** The line of progress that the moment is counted from. */
  readonly after: RegExp;
  /** Milliseconds from that line to the kill. */
  readonly delay: number;
  /** SIGKILL unless told: nothing of castle can tidy up. */
  readonly signal?: "SIGKILL" | "SIGINT";
}

export interface Killed {
  /** Lines of progress before the kill. */
  readonly lines: readonly string[];
  /** False: `up` had ended before its moment came. */
  readonly killed: boolean;
  /** Undefined where the signal ended it. */
  readonly exitCode: number | undefined;
}

/** Runs `castle up` and kills it at that moment. */
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
  process.kill(moment.signal ?? "SIGKILL");
  const { signal, exitCode } = await ended;
  castle.keep(lines.join("\n"));
  return { lines: before, killed: signal === "SIGKILL" || exitCode === INTERRUPTED, exitCode };
}
