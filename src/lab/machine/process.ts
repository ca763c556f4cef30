import { readFile } from "node:fs/promises";
import { kill } from "node:process";

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the host's boot, field 22 of /proc/PID/stat. */
  readonly startTime: number;
}

/** @returns undefined if there is no such process, or only its zombie */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat === undefined ? undefined : identityFrom(pid, stat);
}

/** @param stat content of /proc/PID/stat; the name in parentheses may itself hold blanks and parentheses */
export function identityFrom(pid: number, stat: string): ProcessIdentity | undefined {
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return undefined;
  // Fields are counted from 1; after the name come the state (3) and the parent (4, here index 0).
  return { pid, startTime: Number(fields[18]) };
}

export async function alive(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.startTime === process.startTime;
}

/** Sends a signal to a process, or to the process group that it leads; gone is as good as done. */
export async function signal(
  process: ProcessIdentity,
  name: "SIGTERM" | "SIGKILL",
  to: "process" | "group" = "process",
): Promise<void> {
  if (!(await alive(process))) return;
  try {
    kill(to === "group" ? -process.pid : process.pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
