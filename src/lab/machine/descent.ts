import { open } from "node:fs/promises";
import { POWERED_ON } from "./console.ts";
import type { MachineNames } from "./names.ts";
import { endWorkloads, releaseVolumes } from "./pods.ts";

/** What machined writes when it begins a Reset. */
const RESET = /\breset sequence: \d+ phase\(s\)/;

/**
 * The last phase of Reset, Shutdown and Reboot in container mode; after it nothing can fail any more: machined ends its
 * processes and unmounts its disks.
 */
export const LAST_PHASE = /\bphase (shutdown|reboot) \((\d+)\/\2\)/;

/** Bytes that are read again, because a line may have been half written at the last look. */
const OVERLAP = 64;

/** How far a boot of a machine is on its way down. */
export interface Descent {
  readonly resets: boolean;
  readonly inLastPhase: boolean;
}

interface Reader {
  /** Bytes of the console. */
  read: number;
  descent: Descent;
}

const UP: Descent = { resets: false, inLastPhase: false };

/** Reads machines' consoles as they grow, for what they say of their end, and helps them there. */
export class Descents {
  readonly #readers = new Map<string, Reader>();

  /** @param initPid of the machine, while it runs */
  async help(
    { console, cgroup }: Pick<MachineNames, "console" | "cgroup">,
    initPid: () => Promise<number | undefined>,
  ): Promise<void> {
    const { resets, inLastPhase } = await this.look(console);
    const init = resets || inLastPhase ? await initPid() : undefined;
    if (init === undefined) return;
    if (resets) await endWorkloads(cgroup);
    // A machine may end while it is helped; where this fails, it only takes longer.
    await releaseVolumes(init).catch(() => undefined);
  }

  /** What this boot has said so far. */
  async look(console: string): Promise<Descent> {
    const reader = this.#readers.get(console) ?? { read: 0, descent: UP };
    this.#readers.set(console, reader);
    const grown = await readOn(console, reader);
    const mark = grown.lastIndexOf(POWERED_ON);
    if (mark !== -1) reader.descent = UP;
    const said = grown.slice(Math.max(mark, 0));
    const { resets, inLastPhase } = reader.descent;
    reader.descent = {
      resets: resets || RESET.test(said),
      inLastPhase: inLastPhase || LAST_PHASE.test(said),
    };
    return reader.descent;
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
