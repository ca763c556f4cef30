import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { CastleError } from "../../errors/castle-error.ts";
import { type Descriptor, mediaTypes } from "../../image/descriptor.ts";
import { blobFile, readLayoutImage } from "../../image/layout-image.ts";
import { withRetries } from "../../image/registry-retry.ts";
import type { PackedRelease } from "../release.ts";
import type { Delivery } from "./delivery.ts";
import { isTagged } from "./registry-tag.ts";

/** What travelled: what the registry had already did not. */
export interface Pushed {
  /** False: the registry had the tag, with this very image behind it. */
  readonly written: boolean;
  readonly uploaded: { readonly blobs: number; readonly bytes: number };
  readonly mounted: number;
  readonly present: number;
}

export interface PushOptions {
  /** Repository of the same registry that the base is in: its layers need not travel. */
  readonly mountFrom?: string | undefined;
  readonly onProgress?: (bytes: number, total: number) => void;
}

/** At once: a registry answers one after the other slowly, and all at once angrily. */
const PARALLEL = 4;

/**
 * Pushes blobs, config and manifest by digest, the SBOM beside it, and the tag last: whoever sees the tag sees a whole
 * image. Each piece is tried again for itself.
 * @throws CastleError publish/tag-taken, image/registry-*
 */
export async function pushRelease(
  delivery: Delivery,
  release: PackedRelease,
  options: PushOptions = {},
): Promise<Pushed> {
  const { registry, image, signal } = delivery;
  const nothing = { uploaded: { blobs: 0, bytes: 0 }, mounted: 0, present: 0 };
  if (await withRetries(() => isTagged(delivery, release), { signal })) return { written: false, ...nothing };
  const { manifest, config, layers } = await readLayoutImage(release.layout);
  const blobs = distinct([...layers, config, ...release.sbomBlobs]);
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const pushed = { uploaded: { blobs: 0, bytes: 0 }, mounted: 0, present: 0 };
  let done = 0;
  const waiting = [...blobs];
  const worker = async () => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) {
      const { size } = blob;
      const what = await pushBlob(delivery, release.layout, blob, options);
      if (what === "uploaded") {
        pushed.uploaded.blobs += 1;
        pushed.uploaded.bytes += size;
      } else pushed[what] += 1;
      done += size;
      options.onProgress?.(done, total);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const { repository } = image;
  await withRetries(() => registry.pushManifest(repository, release.digest, manifest), { signal });
  await pushSbom(delivery, release);
  await withRetries(() => registry.pushManifest(repository, release.tag, manifest), { signal });
  // Somebody may have written the tag in the same moment; the same commit made the same image there, or this throws.
  if (!(await withRetries(() => isTagged(delivery, release), { signal }))) {
    throw new CastleError("image/registry-refused", {
      message: `${registry.host} took the tag ${release.tag} and does not know it now`,
      hint: "look at the registry's own retention rules, and publish again",
    });
  }
  return { written: true, ...pushed };
}

async function pushBlob(
  { registry, image: { repository }, signal }: Delivery,
  layout: string,
  blob: Descriptor,
  { mountFrom }: PushOptions,
): Promise<"uploaded" | "mounted" | "present"> {
  if (await withRetries(() => registry.hasBlob(repository, blob.digest), { signal })) return "present";
  const file = blobFile(layout, blob.digest);
  return registry.pushBlob({
    repository,
    blob,
    content: (start, end) => createReadStream(file, { start, end: end - 1 }),
    signal,
    ...(mountFrom === undefined || mountFrom === repository ? {} : { mountFrom }),
  });
}

/** The SBOM refers to the image; a registry without the referrers' API is given the list that its clients look for. */
async function pushSbom(
  { registry, image: { repository }, signal }: Delivery,
  release: PackedRelease,
): Promise<void> {
  const { sbom, digest, layout } = release;
  const bytes = await readFile(blobFile(layout, sbom.digest));
  const listed = await withRetries(
    () => registry.pushManifest(repository, sbom.digest, { bytes, descriptor: sbom }),
    { signal },
  );
  if (listed) return;
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [sbom] }),
  );
  const descriptor = { mediaType: mediaTypes.index, digest: "", size: index.byteLength };
  await withRetries(
    () => registry.pushManifest(repository, digest.replace(":", "-"), { bytes: index, descriptor }),
    { signal },
  );
}

function distinct(blobs: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
