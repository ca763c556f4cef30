import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pid as ownPid } from "node:process";
import { CastleError } from "../../errors/castle-error.ts";
import { poll } from "../../support/poll.ts";
import { identify, signal } from "../../support/process-identity.ts";
import { run } from "../../support/run.ts";
import { census, type Leftover } from "./census.ts";
import { cgroupProcesses, removeCgroup } from "./cgroup.ts";
import { machinesFolder, runFolder } from "./names.ts";

export interface SweepScope {
  readonly lab: string;
  /** The folder that holds one state folder for each lab. */
  readonly states: string;
  /** "keep": disks and consoles stay, only what a restart of the host would take away goes. */
  readonly state: "keep" | "remove";
}

/**
 * Removes what a lab left on this host, machines that still run included; asked again it finishes what a kill left.
 * Cables go before processes, as in a power-off. @returns what it found
 * @throws CastleError machine/will-not-die
 */
export async function sweep(scope: SweepScope): Promise<readonly Leftover[]> {
  const { lab, states } = scope;
  const found = await census({ labs: { name: lab }, states });
  for (const left of found) {
    if (left.kind === "veth") {
      // Both ends of a pair are in the list, and one takes the other along.
      await run("ip", ["-n", left.namespace, "link", "delete", left.name], { accept: [1, 255] });
    }
  }
  await poll(async () => ((await endProcesses(scope)) ? true : undefined), {
    every: 20,
    within: 20_000,
    onTimeout: () =>
      new CastleError("machine/will-not-die", {
        message: `Processes of lab ${lab} outlived a kill for 20 s`,
        hint: `castle lab down, or look at /sys/fs/cgroup/*/castle/${lab}`,
      }),
  });
  for (const left of found) {
    if (left.kind === "namespace") await run("ip", ["netns", "delete", left.name], { accept: [1] });
  }
  // The deepest first: one may lie in another.
  const mounts = found.flatMap((left) => (left.kind === "mount" ? [left.path] : []));
  for (const path of mounts.sort().reverse()) await run("umount", ["-l", path], { accept: [1, 32] });
  await rm(runFolder(lab), { recursive: true, force: true });
  const home = join(states, lab);
  if (scope.state === "remove") await rm(home, { recursive: true, force: true });
  else await forgetBoots(home);
  return found;
}

/** Kills by pid and start time. @returns true when none is left and the cgroups are gone */
async function endProcesses({ lab, states }: SweepScope): Promise<boolean> {
  const group = `/castle/${lab}`;
  const found = await census({ labs: { name: lab }, states });
  const listed = found.flatMap((left) => (left.kind === "process" ? [left] : []));
  const pids = (await cgroupProcesses(group)).filter((pid) => pid !== ownPid);
  const grouped = await Promise.all(pids.map(identify));
  const all = [...listed, ...grouped.filter((process) => process !== undefined)];
  await Promise.all(all.map((process) => signal(process, "SIGKILL")));
  return all.length === 0 && (await removeCgroup(group));
}

async function forgetBoots(state: string): Promise<void> {
  const machines = await readdir(machinesFolder(state)).catch(() => []);
  for (const machine of machines) {
    for (const entry of ["powered-on", "pulling-plug", "boot"]) {
      await rm(join(machinesFolder(state), machine, entry), { recursive: true, force: true });
    }
  }
}
