import { readFile } from "node:fs/promises";
import { run } from "../../support/run.ts";

/** The disk of a machine that its pods' volumes are mounted on. */
const DISK = "/var/";

/**
 * Takes away what is mounted on a machine's disk, so that machined can unmount the disk itself. On metal machined does
 * it in a phase of its own (unmountPodMounts); in container mode it has none, and tries in vain for ten seconds.
 * @param init pid of the machine's init as the host counts
 */
export async function releasePodMounts(init: number): Promise<void> {
  const points = mountsOnDisk(await readFile(`/proc/${init}/mountinfo`, "utf8").catch(() => ""));
  if (points.length === 0) return;
  // Lazily: a container that has not ended yet keeps its own. A machine that ends meanwhile has no mounts left.
  await run("nsenter", ["--target", String(init), "--mount", "--", "umount", "--lazy", ...points], {
    accept: [1, 32, 64],
  });
}

/** Mount points below the disk in /proc/PID/mountinfo, innermost first. */
export function mountsOnDisk(mountinfo: string): readonly string[] {
  return mountinfo
    .split("\n")
    .map((line) => unescaped(line.split(" ")[4] ?? ""))
    .filter((point) => point.startsWith(DISK))
    .toReversed();
}

/** Blanks, tabs, line ends and backslashes stand as their octal code (proc_pid_mountinfo(5)). */
function unescaped(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
