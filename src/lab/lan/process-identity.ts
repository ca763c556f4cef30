import { readFile } from "node:fs/promises";
import { kill } from "node:process";
import { z } from "zod";
import { poll } from "../../support/poll.ts";

/** A pid alone names a different process tomorrow; with its start time and the boot it names one for ever. */
export const processIdentityShape = z.object({
  pid: z.int().min(2),
  /** Clock ticks after the boot, field 22 of /proc/PID/stat. */
  started: z.string(),
  boot: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentityShape>;

/** Undefined if there is no such process, or only its zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined),
    readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => ""),
  ]);
  if (stat === undefined) return undefined;
  // The name in field 2 may hold spaces and brackets; field 3 comes after the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const started = fields[19];
  if (started === undefined || state === "Z" || state === "X") return undefined;
  return { pid, started, boot: boot.trim() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now !== undefined && now.started === identity.started && now.boot === identity.boot;
}

/**
 * Ends exactly that process: asks, and insists after `grace` milliseconds. Returns when it is gone.
 * @throws Error if it survives SIGKILL for 10 s
 */
export async function endProcess(identity: ProcessIdentity, grace = 2_000): Promise<void> {
  class StillThere extends Error {}
  const gone = async () => ((await isAlive(identity)) ? undefined : true);
  const onTimeout = () => new StillThere(`process ${identity.pid} does not end`);
  if (!(await isAlive(identity))) return;
  signal(identity.pid, "SIGTERM");
  try {
    await poll(gone, { every: 10, within: grace, onTimeout });
  } catch (error) {
    if (!(error instanceof StillThere)) throw error;
    if (!(await isAlive(identity))) return;
    signal(identity.pid, "SIGKILL");
    await poll(gone, { every: 10, within: 10_000, onTimeout });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    kill(pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
