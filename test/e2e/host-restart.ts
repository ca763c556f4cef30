import { readFile, rm } from "node:fs/promises";
import { z } from "zod";
import type { LabFolders } from "../../src/lab/folders.ts";
import { type Leftover, census } from "../../src/lab/machine/census.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";

/**
 * Does to one lab what a restart of the host does: daemon and machines die without warning, and namespaces, mounts and
 * /run are gone. What lies on the disk stays.
 */
export async function restartHost(folders: LabFolders): Promise<void> {
  const { pid } = z.object({ pid: z.int() }).parse(JSON.parse(await readFile(folders.descriptor, "utf8")));
  kill(pid);
  const look = async (kind: Leftover["kind"]) =>
    (await census({ labs: { name: folders.lab }, states: folders.states })).filter(
      (found) => found.kind === kind,
    );
  await poll(
    async () => {
      const processes = await look("process");
      for (const found of processes) if (found.kind === "process") kill(found.pid);
      return processes.length === 0 ? true : undefined;
    },
    { every: 50, within: 20_000, onTimeout: () => new Error("the lab's processes do not die") },
  );
  for (const found of (await look("mount")).toReversed()) {
    if (found.kind === "mount") await run("umount", ["-l", found.path], { accept: [1, 32] });
  }
  for (const found of await look("namespace")) {
    if (found.kind === "namespace") await run("ip", ["netns", "delete", found.name], { accept: [1] });
  }
  await rm(folders.run, { recursive: true, force: true });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}
