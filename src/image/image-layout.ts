import { copyFile, link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../support/write-file.ts";
import { type Descriptor, mediaTypes } from "./descriptor.ts";
import type { Layer } from "./layer.ts";
import { sha256 } from "../support/sha256.ts";

/** How the image runs. */
export interface ImageRuntime {
  readonly architecture: "amd64" | "arm64";
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Numeric `uid` or `uid:gid`: a name does not satisfy runAsNonRoot. */
  readonly user?: string;
  readonly workingDirectory?: string;
  /** What asks the program to end, where it is not SIGTERM. */
  readonly stopSignal?: string;
  /** TCP ports that it listens on. */
  readonly ports?: readonly number[];
}

/**
 * Writes an OCI image layout (`oci-layout`, `index.json`, `blobs/`) of one image. Layers are hard-linked,
 * so images that share a layer share its disk space; across file systems they are copied. Byte-stable: the same layers give the same digest.
 * @returns the descriptor of the manifest
 */
export function writeImageLayout(
  folder: string,
  layers: readonly Layer[],
  runtime: ImageRuntime,
): Promise<Descriptor> {
  return writeConfiguredLayout(folder, layers, { config: imageConfig(layers, runtime) });
}

/** As it stands in the image. */
export interface ImageDocuments {
  readonly config: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** As `writeImageLayout`, for an image whose configuration is another image's with changes. */
export async function writeConfiguredLayout(
  folder: string,
  layers: readonly Layer[],
  documents: ImageDocuments,
): Promise<Descriptor> {
  const blobs = join(folder, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  for (const layer of layers) {
    const target = join(blobs, hex(layer.descriptor.digest));
    if (target === layer.file) continue;
    await rm(target, { force: true });
    await link(layer.file, target).catch(async (error: unknown) => {
      // Another file system: the parts' cache and the target need not share one.
      if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
      await copyFile(layer.file, target);
    });
  }
  const config = await writeBlob(blobs, mediaTypes.config, documents.config);
  const manifest = await writeBlob(blobs, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: layers.map((layer) => layer.descriptor),
    ...(documents.annotations === undefined ? {} : { annotations: documents.annotations }),
  });
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [manifest] };
  await writeFileAtomic(join(folder, "index.json"), JSON.stringify(index), 0o644);
  await writeFileAtomic(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}', 0o644);
  return manifest;
}

function imageConfig(layers: readonly Layer[], runtime: ImageRuntime): object {
  return {
    created: "1970-01-01T00:00:00Z",
    architecture: runtime.architecture,
    os: "linux",
    config: {
      ...(runtime.user === undefined ? {} : { User: runtime.user }),
      Env: Object.entries({ PATH: DEFAULT_PATH, ...runtime.environment })
        .map(([key, value]) => `${key}=${value}`)
        .sort(),
      ...(runtime.ports === undefined
        ? {}
        : { ExposedPorts: Object.fromEntries(runtime.ports.map((port) => [`${port}/tcp`, {}])) }),
      Entrypoint: runtime.entrypoint,
      ...(runtime.command === undefined ? {} : { Cmd: runtime.command }),
      WorkingDir: runtime.workingDirectory ?? "/",
      ...(runtime.stopSignal === undefined ? {} : { StopSignal: runtime.stopSignal }),
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "castle" })),
  };
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Adds a JSON document to a folder of blobs. */
export async function writeBlob(blobs: string, mediaType: string, content: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = `sha256:${sha256(bytes)}`;
  await writeFileAtomic(join(blobs, hex(digest)), bytes, 0o644);
  return { mediaType, digest, size: bytes.byteLength };
}

function hex(digest: string): string {
  return digest.slice("sha256:".length);
}
