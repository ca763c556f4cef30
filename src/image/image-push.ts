import { createReadStream } from "node:fs";
import { blobFile, readLayoutImage } from "./layout-image.ts";
import type { RegistryClient } from "./registry-client.ts";

/**
 * Pushes the image of a layout under one tag: blobs that the registry has are left out, the manifest comes
 * last, so a tag never points at an incomplete image.
 * @returns the manifest's digest
 */
export async function pushImage(
  registry: RegistryClient,
  layout: string,
  target: { readonly repository: string; readonly tag: string },
): Promise<string> {
  const image = await readLayoutImage(layout);
  for (const blob of [...image.layers, image.config]) {
    if (await registry.hasBlob(target.repository, blob.digest)) continue;
    const file = blobFile(layout, blob.digest);
    await registry.pushBlob({
      repository: target.repository,
      blob,
      content: (start, end) => createReadStream(file, { start, end: end - 1 }),
    });
  }
  await registry.pushManifest(target.repository, target.tag, image.manifest);
  return image.manifest.descriptor.digest;
}
