import { exists } from "../../support/exists.ts";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { poll } from "../../support/poll.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { identify, type ProcessIdentity, signal } from "../../support/process-identity.ts";
import { run } from "../../support/run.ts";
import { cgroupProcesses, removeCgroup } from "./cgroup.ts";
import { openConsole } from "./console.ts";
import { lanNamespace } from "../namespaces.ts";
import { type MachineNames, runcRoot } from "./names.ts";

/** Programs and folders that all machines of a lab share. */
export interface MachineParts {
  /** Root file system of a node; only ever read. */
  readonly rootfs: string;
  /** The host's runc: a path, or a name to find on PATH. */
  readonly runc: string;
  /** The nodes' images as containerd unpacks them; only ever read. Undefined: nodes pull all that they run. */
  readonly images?: string | undefined;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Stands by one boot of a machine, in a mount namespace of its own, so that the overlay goes away with the machine
 * whatever ends it. It outlives the daemon: when init ends with no daemon there, the cables are pulled all the same
 * (a namespace that keeps its address goes on answering ARP), and the exit code is kept.
 * Arguments: boot folder, root file system, runc, runc's root, container, LAN namespace, VM id.
 */
const SUPERVISOR = `
boot=$1 rootfs=$2 runc=$3 records=$4 container=$5 lan=$6 vmid=$7
echo $$ >"$boot/supervisor.pid"
cd "$boot" || exit
mount -t overlay castle-machine -o "lowerdir=$rootfs,upperdir=$boot/upper,workdir=$boot/work" "$boot/root" || exit
"$runc" --root "$records" run --bundle "$boot" "$container" 3>&-
code=$?
for cable in $(ip -n "$lan" -o link show type veth 2>/dev/null | sed -nE "s/^[0-9]+: (vm\${vmid}n[0-9]+)@.*/\\1/p"); do
  ip -n "$lan" link delete "$cable"
done
echo $code >exit-code.partial && mv exit-code.partial exit-code
`;

/** From runc's own record of a container; `runc state` reads the same file. */
const record = z.object({ init_process_pid: z.number(), init_process_start: z.number() });

/** The machine's init, if it runs. A container that was made but never started does not count. */
export async function findInit(lab: string, names: MachineNames): Promise<ProcessIdentity | undefined> {
  const folder = join(runcRoot(lab), names.container);
  const text = await readFile(join(folder, "state.json"), "utf8").catch(() => undefined);
  if (text === undefined || text === "" || (await exists(join(folder, "exec.fifo")))) return undefined;
  const { init_process_pid: pid, init_process_start: started } = record.parse(JSON.parse(text));
  const now = await identify(pid);
  // runc's record is of this boot: it lies on /run.
  return now?.started === String(started) ? now : undefined;
}

/** The process that stands by the machine, recognised by the boot folder among its arguments. */
export async function findSupervisor(names: MachineNames): Promise<ProcessIdentity | undefined> {
  const pid = Number(await readFile(join(names.boot, "supervisor.pid"), "utf8").catch(() => ""));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const identity = await identify(pid);
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.split("\0").includes(names.boot) ? identity : undefined;
}

/** Exit code of this boot's init; undefined while it runs, or if nobody was left to write it down. */
export async function exitCodeOf(names: MachineNames): Promise<number | undefined> {
  const text = await readFile(join(names.boot, "exit-code"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/**
 * Starts the supervisor and waits until init runs. The boot folder holds config.json, `upper`, `work` and `root`.
 * @throws CastleError machine/start-failed, machine/start-timed-out
 */
export async function launch(
  lab: string,
  names: MachineNames,
  parts: MachineParts,
): Promise<ProcessIdentity> {
  const console = await openConsole(names.console);
  try {
    // After the console's mark: whoever finds this file reads this boot's words, not those of the one before.
    await writeFile(names.poweredOn, "", { mode: 0o600 });
    const supervisor = spawn("unshare", supervisorArguments(lab, names, parts), {
      detached: true,
      stdio: ["ignore", console.fd, console.fd],
      env: { PATH },
    });
    await once(supervisor, "spawn");
    supervisor.unref();
    return await poll(() => begun(lab, names, supervisor.pid ?? 0), {
      every: 10,
      within: 30_000,
      onTimeout: () =>
        new CastleError("machine/start-timed-out", {
          message: `Machine ${names.container} of lab ${lab} did not start within 30 s`,
          hint: `Read its console: ${names.console}`,
        }),
    });
  } finally {
    await console.close();
  }
}

function supervisorArguments(lab: string, names: MachineNames, parts: MachineParts): readonly string[] {
  // Slave, not private: a namespace or disk that the host unmounts has to go away in there too.
  const place = ["--mount", "--propagation", "slave"];
  const shell = ["/bin/sh", "-c", SUPERVISOR, "castle-machine"];
  const root = [names.boot, parts.rootfs, parts.runc, runcRoot(lab)];
  return [...place, ...shell, ...root, names.container, lanNamespace(lab), names.container];
}

async function begun(lab: string, names: MachineNames, supervisor: number) {
  const init = await findInit(lab, names);
  if (init !== undefined) return init;
  // An init that ended at once had begun all the same; the watch reports its end.
  if ((await exitCodeOf(names)) === undefined && (await identify(supervisor)) !== undefined) return undefined;
  const said = (await readFile(names.console, "utf8")).trimEnd().split("\n").slice(-4).join(" | ");
  throw new CastleError("machine/start-failed", {
    message: `Machine ${names.container} of lab ${lab} ended before its init began: ${said}`,
    hint: `Read its console: ${names.console}`,
  });
}

/** Milliseconds that a supervisor has to finish what it is at before it is ended too. */
const PATIENCE = 10_000;

/**
 * Ends all that runs of a machine and removes runc's record and the cgroups. Cables are the caller's: they go first.
 * @throws CastleError machine/will-not-die
 */
export async function extinguish(lab: string, names: MachineNames, runc: string): Promise<void> {
  const begin = performance.now();
  await poll(() => gone(lab, names, { runc, impatient: performance.now() - begin > PATIENCE }), {
    every: 15,
    within: 3 * PATIENCE,
    onTimeout: () =>
      new CastleError("machine/will-not-die", {
        message: `Processes of machine ${names.container} of lab ${lab} outlived a kill: cgroup ${names.cgroup}`,
        hint: "castle lab down",
      }),
  });
}

interface Effort {
  readonly runc: string;
  readonly impatient: boolean;
}

async function gone(
  lab: string,
  names: MachineNames,
  { runc, impatient }: Effort,
): Promise<true | undefined> {
  const [init, supervisor] = await Promise.all([findInit(lab, names), findSupervisor(names)]);
  // The end of a pid namespace's init is the end of all processes in it.
  if (init !== undefined) await signal(init, "SIGKILL");
  // A supervisor ends by itself after its init. One killed in the middle of a start would leave a runc that goes on
  // to start the container, so it is let come to that point; its whole process group is ended only if it hangs.
  if (supervisor !== undefined && impatient) await signal(supervisor, "SIGKILL", "group");
  if (init !== undefined || supervisor !== undefined) return undefined;
  for (const pid of await cgroupProcesses(names.cgroup)) {
    const left = await identify(pid);
    if (left !== undefined) await signal(left, "SIGKILL");
  }
  const folder = join(runcRoot(lab), names.container);
  if (await exists(folder)) {
    await run(runc, ["--root", runcRoot(lab), "delete", "--force", names.container], { accept: [1] });
    // runc refuses a record that it cannot read, as one from a kill in the middle of `create`.
    await rm(folder, { recursive: true, force: true });
  }
  return (await removeCgroup(names.cgroup)) ? true : undefined;
}
