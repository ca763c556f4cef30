import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** Every folder that a cgroup has: one on a version 2 host, one in each hierarchy on a version 1 host. */
export async function cgroupFolders(cgroup: string, root = ROOT): Promise<readonly string[]> {
  const hierarchies = await readdir(root, { withFileTypes: true }).catch(() => []);
  const candidates = [
    join(root, cgroup),
    // `unified` and the named hierarchies are folders too; links like cpu,cpuacct lead to the same place.
    ...hierarchies.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name, cgroup)),
  ];
  const found = await Promise.all(
    candidates.map((folder) =>
      readdir(folder).then(
        () => [folder],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/** Names of the groups right below a group, over all hierarchies. */
export async function cgroupChildren(cgroup: string, root = ROOT): Promise<readonly string[]> {
  const lists = await Promise.all((await cgroupFolders(cgroup, root)).map(subfolders));
  return [...new Set(lists.flat())].sort();
}

/** Pids in the group and in all groups below it. */
export async function cgroupProcesses(cgroup: string, root = ROOT): Promise<readonly number[]> {
  const lists = await Promise.all((await cgroupFolders(cgroup, root)).map(processesBelow));
  return [...new Set(lists.flat())];
}

async function processesBelow(folder: string): Promise<number[]> {
  const text = await readFile(join(folder, "cgroup.procs"), "utf8").catch(() => "");
  const own = text
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  const below = await Promise.all(
    (await subfolders(folder)).map((name) => processesBelow(join(folder, name))),
  );
  return [...own, ...below.flat()];
}

/** Removes the group and all below it. @returns false while some process is still in one of them */
export async function removeCgroup(cgroup: string, root = ROOT): Promise<boolean> {
  const done = await Promise.all((await cgroupFolders(cgroup, root)).map(removeBelow));
  return done.every(Boolean);
}

/** Removes the folders that all labs share, where no lab is left in them. */
export async function removeSharedCgroup(cgroup: string, root = ROOT): Promise<void> {
  for (const folder of await cgroupFolders(cgroup, root)) await rmdir(folder).catch(() => undefined);
}

async function removeBelow(folder: string): Promise<boolean> {
  const below = await Promise.all((await subfolders(folder)).map((name) => removeBelow(join(folder, name))));
  if (!below.every(Boolean)) return false;
  return rmdir(folder).then(
    () => true,
    (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT",
  );
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
