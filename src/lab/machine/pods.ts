import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { identify, signal } from "../../support/process-identity.ts";
import { run } from "../../support/run.ts";
import { cgroupProcesses } from "./cgroup.ts";
import { mountPoints } from "./mount-points.ts";

/*
 * What machined does to a machine's pods on its way down, on metal, in phases of their own (StopAllPods in Reset,
 * UnmountPodMounts in all), and in container mode does not do (Talos' v1alpha1_sequencer.go): there etcd waits seven
 * seconds for an API server that is never ended, and ten more go by in vain tries to unmount a disk with volumes on it.
 * On metal the node also gives up the VIP before its etcd is stopped. In container mode it does so at the same time, and
 * of a whole castle's members the last to be asked has no quorum left to take note of it: its etcd waits out the seven
 * seconds that such a request may take. So etcd is ended like the pods.
 */

/** The disk of a machine that its pods' volumes are mounted on. */
const DISK = "/var/";

/** Where Talos runs pods and etcd, below a machine's cgroup. */
const WORKLOADS = ["kubepods", "podruntime/etcd"] as const;

/** Ends pods and etcd of a machine that is being reset: what they would still write is wiped. */
export async function endWorkloads(machine: string): Promise<void> {
  const pids = await Promise.all(WORKLOADS.map((group) => cgroupProcesses(join(machine, group))));
  for (const pid of pids.flat()) {
    const left = await identify(pid);
    if (left !== undefined) await signal(left, "SIGKILL");
  }
}

/**
 * Takes away what is mounted on a machine's disk, so that machined can unmount the disk itself.
 * @param init pid of the machine's init as the host counts
 * @throws CastleError command/failed, as when the machine has ended meanwhile
 */
export async function releaseVolumes(init: number): Promise<void> {
  const points = mountsOnDisk(await readFile(`/proc/${init}/mountinfo`, "utf8").catch(() => ""));
  if (points.length === 0) return;
  // In the machine's pid namespace too: umount reads /proc/self. Lazily: what has not ended yet keeps its own.
  const inside = ["--target", String(init), "--mount", "--pid", "--"];
  await run("nsenter", [...inside, "umount", "--lazy", ...points]);
}

/** Mount points below the disk in /proc/PID/mountinfo, innermost first. */
export function mountsOnDisk(mountinfo: string): readonly string[] {
  return mountPoints(mountinfo)
    .filter((point) => point.startsWith(DISK))
    .toReversed();
}
