import { open } from "node:fs/promises";
import { POWERED_ON } from "./console.ts";

/**
 * The last phase of Reset, Shutdown and Reboot in container mode; after it nothing can fail any more: machined ends its
 * processes and unmounts its disks.
 */
export const LAST_PHASE = /\bphase (shutdown|reboot) \((\d+)\/\2\)/;

/** Bytes that are read again, because a line may have been half written at the last look. */
const OVERLAP = 64;

interface Reader {
  /** Bytes of the console. */
  read: number;
  seen: boolean;
}

/** Reads machines' consoles as they grow, until one says that its boot is in the last phase. */
export class LastPhases {
  readonly #readers = new Map<string, Reader>();

  /** @returns true once a boot, at the first look that finds it */
  async begins(console: string): Promise<boolean> {
    const reader = this.#readers.get(console) ?? { read: 0, seen: false };
    this.#readers.set(console, reader);
    const grown = await readOn(console, reader);
    const mark = grown.lastIndexOf(POWERED_ON);
    if (mark !== -1) reader.seen = false;
    if (reader.seen || !LAST_PHASE.test(grown.slice(Math.max(mark, 0)))) return false;
    reader.seen = true;
    return true;
  }
}

async function readOn(console: string, reader: Reader): Promise<string> {
  const file = await open(console).catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    // A console that grew too long was put aside.
    if (size < reader.read) reader.read = 0;
    if (size === reader.read) return "";
    const from = Math.max(0, reader.read - OVERLAP);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    reader.read = from + bytesRead;
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
