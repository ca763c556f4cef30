import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CastleError } from "../errors/castle-error.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { type Descriptor, mediaTypes } from "./descriptor.ts";
import { blobFile, parseManifest, selectPlatform } from "./layout-image.ts";
import type { RegistryClient, RegistryManifest } from "./registry-client.ts";

export interface PullOptions {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly architecture: "amd64" | "arm64";
  /** The OCI layout's folder. Blobs that lie there whole are not fetched again. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onBlob?: (blob: Descriptor) => void;
}

/**
 * Pulls one image for one architecture into an OCI layout; every blob's hash is verified.
 * @throws CastleError image/not-found, image/digest-mismatch, image/registry-*
 */
export async function pullImage(registry: RegistryClient, options: PullOptions): Promise<Descriptor> {
  const { repository, folder } = options;
  const manifest = await platformManifest(registry, options);
  const { config, layers } = parseManifest(manifest.bytes);
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  for (const blob of [config, ...layers]) {
    if (await isWhole(folder, blob)) continue;
    await fetchBlob(registry, blob, options);
    options.onBlob?.(blob);
  }
  const { descriptor } = manifest;
  await writeFileAtomic(blobFile(folder, descriptor.digest), manifest.bytes, 0o644);
  const annotated = { ...descriptor, annotations: { "org.opencontainers.image.ref.name": repository } };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [annotated] };
  await writeFileAtomic(join(folder, "index.json"), JSON.stringify(index), 0o644);
  await writeFileAtomic(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}', 0o644);
  return descriptor;
}

async function platformManifest(
  registry: RegistryClient,
  { repository, reference, architecture }: PullOptions,
): Promise<RegistryManifest> {
  const found = await registry.manifest(repository, reference);
  const { mediaType } = found.descriptor;
  if (mediaType !== mediaTypes.index && mediaType !== mediaTypes.dockerList) return found;
  const digest = selectPlatform(found.bytes, architecture);
  if (digest === undefined) {
    throw new CastleError("image/not-found", {
      message: `${repository}:${reference} has no image for linux/${architecture}`,
    });
  }
  return registry.manifest(repository, digest);
}

/** A blob gets its name only after its hash was verified, so its size is enough to know that it is whole. */
async function isWhole(folder: string, blob: Descriptor): Promise<boolean> {
  try {
    return (await stat(blobFile(folder, blob.digest))).size === blob.size;
  } catch {
    return false;
  }
}

async function fetchBlob(registry: RegistryClient, blob: Descriptor, options: PullOptions): Promise<void> {
  const target = blobFile(options.folder, blob.digest);
  const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const content = await registry.blob(options.repository, blob.digest);
    const sink = createWriteStream(temporary, { mode: 0o644 });
    await pipeline(content, hashing, sink, options.signal === undefined ? {} : { signal: options.signal });
    const found = `sha256:${hash.digest("hex")}`;
    if (found !== blob.digest) {
      throw new CastleError("image/digest-mismatch", {
        message: `${options.repository}: asked for ${blob.digest} and got ${found}`,
      });
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
