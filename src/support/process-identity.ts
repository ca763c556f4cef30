import { readFile } from "node:fs/promises";
import { kill } from "node:process";
import { z } from "zod";
import { poll } from "./poll.ts";
import { run } from "./run.ts";

/** A pid alone names a different process tomorrow; with its start time and the boot it names one for ever. */
export const processIdentityShape = z.object({
  pid: z.int().min(2),
  /** Clock ticks after the boot, field 22 of /proc/PID/stat; where there is no /proc, what `ps` calls lstart. */
  started: z.string(),
  /** Id of the host's boot; empty where there is no /proc. */
  boot: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentityShape>;

/** Undefined if there is no such process, or only its zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const boot = await bootId();
  if (boot === "") return identifyByPs(pid);
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
  const started = stat === undefined ? undefined : startedFrom(stat);
  return started === undefined ? undefined : { pid, started, boot };
}

/**
 * Start time of a living process; undefined for a zombie.
 * @param stat content of /proc/PID/stat; the name in parentheses may itself hold blanks and parentheses
 */
export function startedFrom(stat: string): string | undefined {
  // Fields are counted from 1; after the name come the state (3) and the parent (4, here index 0).
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : fields[18];
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now !== undefined && now.started === identity.started && now.boot === identity.boot;
}

/** Sends a signal to exactly that process, or to the process group that it leads; gone is as good as done. */
export async function signal(
  identity: ProcessIdentity,
  name: "SIGTERM" | "SIGKILL",
  to: "process" | "group" = "process",
): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    kill(to === "group" ? -identity.pid : identity.pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/**
 * Ends exactly that process: asks, and insists after `grace` milliseconds. Returns when it is gone.
 * @throws Error if it survives SIGKILL for 10 s
 */
export async function endProcess(identity: ProcessIdentity, grace = 2_000): Promise<void> {
  class StillThere extends Error {}
  const gone = async () => ((await isAlive(identity)) ? undefined : true);
  const onTimeout = () => new StillThere(`process ${identity.pid} does not end`);
  await signal(identity, "SIGTERM");
  try {
    await poll(gone, { every: 10, within: grace, onTimeout });
  } catch (error) {
    if (!(error instanceof StillThere)) throw error;
    await signal(identity, "SIGKILL");
    await poll(gone, { every: 10, within: 10_000, onTimeout });
  }
}

let boot: Promise<string> | undefined;

function bootId(): Promise<string> {
  // Asked once: no process sees two boots.
  boot ??= readFile("/proc/sys/kernel/random/boot_id", "latin1").then(
    (text) => text.trim(),
    () => "",
  );
  return boot;
}

/** For macOS. The start time has seconds only, so a pid used again within its second is not told apart. */
async function identifyByPs(pid: number): Promise<ProcessIdentity | undefined> {
  const { stdout } = await run("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    accept: [1],
    timeout: 10_000,
  });
  const [, state = "Z", started = ""] = /^\s*(\S+)\s+(.*)$/.exec(stdout) ?? [];
  return state.startsWith("Z") ? undefined : { pid, started: started.trim(), boot: "" };
}
