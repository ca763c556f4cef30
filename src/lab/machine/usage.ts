import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroupChildren, cgroupFolders } from "./cgroup.ts";
import { labCgroup } from "./names.ts";

export interface MachineUsage {
  readonly vmid: number;
  /** Bytes of memory, without the file cache that the kernel would give back at once. */
  readonly memory: number;
}

/** Memory of each running machine of a lab. */
export async function usage(lab: string, root = "/sys/fs/cgroup"): Promise<readonly MachineUsage[]> {
  const group = labCgroup(lab);
  const machines = (await cgroupChildren(group, root)).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    machines.map(async (name) => {
      const folders = await cgroupFolders(`${group}/${name}`, root);
      const readings = await Promise.all(folders.map(memoryOf));
      return { vmid: Number(name), memory: readings.find((bytes) => bytes !== undefined) ?? 0 };
    }),
  );
}

/** Only one of a group's folders accounts for memory; the others give undefined. */
async function memoryOf(folder: string): Promise<number | undefined> {
  const [v1, v2, stat] = await Promise.all(
    ["memory.usage_in_bytes", "memory.current", "memory.stat"].map((file) =>
      readFile(join(folder, file), "utf8").catch(() => undefined),
    ),
  );
  const used = v1 ?? v2;
  if (used === undefined || stat === undefined) return undefined;
  const key = v1 === undefined ? "inactive_file" : "total_inactive_file";
  const cache = Number(new RegExp(`^${key} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  return Math.max(0, Number(used) - cache);
}
