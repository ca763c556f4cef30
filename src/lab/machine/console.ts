import { copyFile, open, readFile, stat, truncate } from "node:fs/promises";

/** Bytes at which a console is put aside; a machine keeps twice as much at most. */
const CONSOLE_LIMIT = 8 * 1024 * 1024;

/** Begins each boot. */
export const POWERED_ON = "[castle] powered on";

/** A previous part of the console, put aside when it grew too long. */
export function earlierConsole(path: string): string {
  return `${path}.1`;
}

/**
 * Opens the console for a machine that is being powered on, and marks the place. Append mode: a put-aside console is
 * cut to nothing under the machine's hands, and its next line has to land at the new end.
 */
export async function openConsole(path: string) {
  const file = await open(path, "a", 0o600);
  await file.writeFile(`${POWERED_ON} ${new Date().toISOString()}\n`);
  return file;
}

/** Puts the console aside if it is longer than `limit` bytes. Lines written meanwhile are copied too. */
export async function boundConsole(path: string, limit = CONSOLE_LIMIT): Promise<void> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size <= limit) return;
  await copyFile(path, earlierConsole(path));
  await truncate(path, 0);
}

/** What the machine has said since it was last powered on, as far as it is kept. */
export async function saidSincePowerOn(path: string): Promise<string> {
  const now = await readFile(path, "utf8").catch(() => "");
  const marked = afterMark(now);
  if (marked !== undefined) return marked;
  const earlier = await readFile(earlierConsole(path), "utf8").catch(() => "");
  return (afterMark(earlier) ?? earlier) + now;
}

function afterMark(text: string): string | undefined {
  const at = text.lastIndexOf(POWERED_ON);
  return at === -1 ? undefined : text.slice(text.indexOf("\n", at) + 1);
}
