import { exists } from "../../support/exists.ts";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../support/run.ts";
import { DISK_FOLDERS } from "./oci-spec.ts";
import { installImages } from "./unpacked-images.ts";

/** Folders that a machine gets empty: on a real disk they are partitions which the installer formats. */
const EMPTY_FOLDERS: ReadonlySet<string> = new Set(["var", "system/state"]);

/**
 * Fills an empty disk from the image, once. The disk appears under its name only when it is whole, so a kill in between
 * leaves an empty disk.
 * @param images unpacked images that the node is to find; undefined: it pulls all
 */
export async function fillDisk(disk: string, rootfs: string, images?: string): Promise<void> {
  if (await exists(disk)) return;
  const partial = `${disk}.partial`;
  for (const left of [partial, `${disk}.wiped`]) await rm(left, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const wanted = DISK_FOLDERS.filter((folder) => !EMPTY_FOLDERS.has(folder));
  const there = await Promise.all(wanted.map((folder) => exists(join(rootfs, folder))));
  const copied = wanted.filter((_, index) => there[index]);
  if (copied.length > 0) {
    await run("cp", ["-a", "--reflink=auto", "--parents", "-t", partial, ...copied], { cwd: rootfs });
  }
  for (const folder of DISK_FOLDERS) await mkdir(join(partial, folder), { recursive: true });
  if (images !== undefined) await installImages(partial, images);
  await rename(partial, disk);
}

/** Empties a disk. It is gone under its name at once, however long the removal takes. */
export async function emptyDisk(disk: string): Promise<void> {
  const wiped = `${disk}.wiped`;
  await rm(wiped, { recursive: true, force: true });
  await rename(disk, wiped).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  });
  await rm(wiped, { recursive: true, force: true });
}
