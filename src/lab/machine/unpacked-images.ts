import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../../support/exists.ts";
import { run } from "../../support/run.ts";
import { bind, type Mount } from "./oci-spec.ts";

/** Where containerd keeps its images on a node. */
const CONTAINERD = "var/lib/containerd";
const SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots";
/** Beside the folders that the machine sees: which unpacked images its disk was made with. */
const NOTE = "unpacked-images";

/**
 * Puts images into a disk that is being made, as if containerd had pulled and unpacked them: its records are copied, the
 * files themselves are bound into the machine when it starts.
 * @param images what `image-unpacker` made
 */
export async function installImages(disk: string, images: string): Promise<void> {
  const target = join(disk, CONTAINERD);
  const snapshots = await readdir(join(images, SNAPSHOTS));
  await mkdir(target, { recursive: true, mode: 0o711 });
  const records = (await readdir(images)).filter((name) => !SNAPSHOTS.startsWith(`${name}/`));
  const database = join(SNAPSHOTS, "../metadata.db");
  await run("cp", ["-a", "--parents", "-t", target, ...records, database], { cwd: images });
  await Promise.all(
    snapshots.flatMap((snapshot) =>
      ["fs", "work"].map((part) => mkdir(join(target, SNAPSHOTS, snapshot, part), { recursive: true })),
    ),
  );
  await writeFile(join(disk, NOTE), images);
}

/**
 * The unpacked files of the images that the disk was made with, each read-only: five machines share one copy and one
 * page cache, and none can change it. Where the copy is gone, containerd's store on the disk is emptied, and the node
 * pulls what it needs.
 */
export async function imageMounts(disk: string): Promise<readonly Mount[]> {
  const images = await readFile(join(disk, NOTE), "utf8").catch(() => undefined);
  if (images === undefined) return [];
  if (!(await exists(join(images, SNAPSHOTS)))) {
    await rm(join(disk, CONTAINERD), { recursive: true, force: true });
    await rm(join(disk, NOTE), { force: true });
    return [];
  }
  const snapshots = (await readdir(join(images, SNAPSHOTS))).sort(
    (left, right) => Number(left) - Number(right),
  );
  const mounts = await Promise.all(
    snapshots.map(async (snapshot) => {
      const place = join(CONTAINERD, SNAPSHOTS, snapshot, "fs");
      // A node may have removed an image; what it removed stays away.
      if (!(await exists(join(disk, place)))) return [];
      return [bind(join(images, SNAPSHOTS, snapshot, "fs"), `/${place}`, "ro")];
    }),
  );
  return mounts.flat();
}
