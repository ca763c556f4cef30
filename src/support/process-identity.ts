import { readFile } from "node:fs/promises";

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/PID/stat), or undefined when there is none.
 * Together with the pid it names a process for good: pids are used again, start times are not.
 */
export async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The command in parentheses may hold spaces and parentheses itself; fields are counted from its end.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
