import { copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { blobFile, readLayoutImage } from "./layout-image.ts";

export interface StoredImage {
  /** Without the registry's host: `siderolabs/kubelet`. */
  readonly repository: string;
  readonly tag: string;
  /** Folder of the image's OCI layout. */
  readonly layout: string;
}

/**
 * Fills the root directory of a Distribution registry's file system driver with images, by hard links: a
 * registry that serves gigabytes is ready in milliseconds and takes no space of its own. Adding to a
 * directory in use is safe: what makes an image visible, its tag, is written last. Where a link cannot be
 * made (another file system) the blob is copied.
 */
export async function fillRegistryStorage(root: string, images: readonly StoredImage[]): Promise<void> {
  const base = join(root, "docker", "registry", "v2");
  for (const { repository, tag, layout } of images) {
    const image = await readLayoutImage(layout);
    const { digest } = image.manifest.descriptor;
    const home = join(base, "repositories", repository);
    for (const blob of [image.config, ...image.layers, image.manifest.descriptor]) {
      await linkBlob(
        blobFile(layout, blob.digest),
        join(base, "blobs", "sha256", fanned(blob.digest), "data"),
      );
    }
    for (const blob of [image.config, ...image.layers]) {
      await pointer(join(home, "_layers", path(blob.digest)), blob.digest);
    }
    await pointer(join(home, "_manifests", "revisions", path(digest)), digest);
    await pointer(join(home, "_manifests", "tags", tag, "index", path(digest)), digest);
    await pointer(join(home, "_manifests", "tags", tag, "current"), digest);
  }
}

async function linkBlob(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  try {
    await link(source, target);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return;
    if (code !== "EXDEV" && code !== "EMLINK") throw error;
    await copyFile(source, target);
  }
}

async function pointer(folder: string, digest: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "link"), digest);
}

function path(digest: string): string {
  return digest.replace(":", "/");
}

function fanned(digest: string): string {
  const hex = digest.slice("sha256:".length);
  return join(hex.slice(0, 2), hex);
}
