import { z } from "zod";
import { parseManifest } from "../../image/layout-image.ts";
import { type PackedRelease, releaseAnnotations, type ReleaseFile } from "../release.ts";
import type { Delivery, ReleaseName } from "./delivery.ts";

/** What a release has to show to be believed, known from the packed image or from the registry alone. */
export interface ReleaseFacts extends ReleaseName {
  /** What a runtime may call the image: digest of its manifest, or of its config. */
  readonly imageIds: readonly string[];
  /** None for an image that castle did not make. */
  readonly files: readonly ReleaseFile[];
  /** It says its name in a header of every answer. */
  readonly isNamed: boolean;
  readonly pages: number | undefined;
}

const annotated = z.object({ annotations: z.record(z.string(), z.string()).optional() });
const spdx = z.object({
  files: z.array(
    z.object({
      fileName: z.string(),
      checksums: z.array(z.object({ algorithm: z.string(), checksumValue: z.string() })),
    }),
  ),
});

export function factsOfPacked(release: PackedRelease, configDigest: string): ReleaseFacts {
  const { commit, tag, digest, files, pages } = release;
  return { commit, tag, digest, files, pages, imageIds: [digest, configDigest], isNamed: true };
}

/** @throws CastleError image/not-found, image/digest-mismatch, image/registry-* */
export async function factsFromRegistry(
  { registry, image: { repository } }: Pick<Delivery, "registry" | "image">,
  name: ReleaseName,
): Promise<ReleaseFacts> {
  const { bytes } = await registry.manifest(repository, name.digest);
  const { annotations = {} } = annotated.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const sbom = annotations[releaseAnnotations.sbom];
  const pages = Number(annotations[releaseAnnotations.pages]);
  return {
    ...name,
    imageIds: [name.digest, ...configOf(bytes)],
    files: sbom === undefined ? [] : await filesOf(registry, repository, sbom),
    isNamed: annotations[releaseAnnotations.layout] !== undefined,
    pages: Number.isInteger(pages) ? pages : undefined,
  };
}

/** An index of several platforms has no config. */
function configOf(bytes: Uint8Array): readonly string[] {
  try {
    return [parseManifest(bytes).config.digest];
  } catch {
    return [];
  }
}

async function filesOf(
  registry: Delivery["registry"],
  repository: string,
  digest: string,
): Promise<readonly ReleaseFile[]> {
  const stream = await registry.blob(repository, digest);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  const { files } = spdx.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  return files.flatMap(({ fileName, checksums }) => {
    const sha256 = checksums.find(({ algorithm }) => algorithm === "SHA256")?.checksumValue;
    return sha256 === undefined ? [] : [{ path: fileName.replace(/^\.?\//, ""), sha256, bytes: 0 }];
  });
}
