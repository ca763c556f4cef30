import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Descriptor } from "./descriptor.ts";
import type { RegistryManifest } from "./registry-client.ts";
import { sha256 } from "../support/sha256.ts";

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
});
const index = z.object({ manifests: z.array(descriptor).min(1) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });

/** The one image of an OCI layout on disk. */
export interface LayoutImage {
  readonly manifest: RegistryManifest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** @throws CastleError image/layout-broken; the blobs of config and layers are not read */
export async function readLayoutImage(folder: string): Promise<LayoutImage> {
  try {
    const [entry] = index.parse(JSON.parse(await readFile(join(folder, "index.json"), "utf8"))).manifests;
    if (entry === undefined) throw new Error("index.json lists no manifest");
    const bytes = await readFile(blobFile(folder, entry.digest));
    const found = `sha256:${sha256(bytes)}`;
    if (found !== entry.digest) throw new Error(`the manifest's hash is ${found}, expected ${entry.digest}`);
    const { config, layers } = manifest.parse(JSON.parse(bytes.toString("utf8")));
    return { manifest: { descriptor: entry, bytes }, config, layers };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CastleError("image/layout-broken", {
      message: `the image in ${folder} is broken: ${why}`,
      cause,
    });
  }
}

/** Where a layout keeps the blob of a digest. */
export function blobFile(folder: string, digest: string): string {
  return join(folder, "blobs", "sha256", digest.slice("sha256:".length));
}

/** Reads a manifest's bytes, from a registry. @throws ZodError */
export function parseManifest(bytes: Uint8Array): { config: Descriptor; layers: Descriptor[] } {
  return manifest.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
}

const platformIndex = z.object({
  manifests: z.array(
    descriptor.extend({ platform: z.object({ os: z.string(), architecture: z.string() }).optional() }),
  ),
});

/** The digest of the manifest for one architecture in an index of many. */
export function selectPlatform(bytes: Uint8Array, architecture: string): string | undefined {
  const { manifests } = platformIndex.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const match = manifests.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === architecture,
  );
  return match?.digest;
}
