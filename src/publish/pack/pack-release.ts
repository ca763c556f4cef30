import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, mediaTypes } from "../../image/descriptor.ts";
import { writeBlob, writeConfiguredLayout } from "../../image/image-layout.ts";
import type { OutputTree } from "../build/output-tree.ts";
import {
  type PackedRelease,
  type ReleaseLayer,
  releaseAnnotations,
  releaseTag,
  SHORT_COMMIT,
  type SiteLock,
  type SourceFacts,
} from "../release.ts";
import { type BaseImage, readBaseImage } from "./base-image.ts";
import { type CachedLayer, LayerCache } from "./layer-cache.ts";
import type { PagePacker } from "./page-packer.ts";
import { type LayerEntry, writeReleaseLayer } from "./release-layer.ts";
import { sbom } from "./sbom.ts";
import { serverConfiguration, SITE_ROOT } from "./server-configuration.ts";
import { contentOf, parents, siteEntries } from "./site-entries.ts";

export interface PackOptions {
  readonly site: string;
  readonly source: SourceFacts;
  readonly lock: SiteLock;
  /** OCI layout of the lock's base. */
  readonly base: string;
  readonly output: OutputTree;
  /** The image's OCI layout; empty or missing. */
  readonly layout: string;
  readonly cache: string;
  readonly packer: PagePacker;
}

/**
 * Puts the pages on the base: an OCI layout whose digest follows from commit, base, Hugo and layout alone.
 * @throws CastleError build/base, image/layout-broken
 */
export async function packRelease(options: PackOptions): Promise<Omit<PackedRelease, "times">> {
  const { source, lock, output, layout } = options;
  const tag = releaseTag(options.site, source.commit);
  const base = await readBaseImage(options.base);
  const layers = await siteLayers(options, tag, base.port);
  const pages = output.files.filter(({ path }) => isPage(path)).length;
  await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
  const document = sbom({ tag, source, lock, files: output.files });
  const spdx = await writeBlob(join(layout, "blobs", "sha256"), SPDX, document);
  const annotations = annotationsOf(options, { tag, pages, spdx });
  const all = [...base.layers, ...layers.map(({ layer }) => layer)];
  const manifest = await writeConfiguredLayout(layout, all, {
    config: configOf(base, {
      annotations,
      committedAt: source.committedAt,
      diffIds: all.map(({ diffId }) => diffId),
    }),
    annotations,
  });
  const referrer = await writeReferrer(layout, manifest, spdx);
  return {
    site: options.site,
    commit: source.commit,
    shortCommit: source.commit.slice(0, SHORT_COMMIT),
    committedAt: source.committedAt,
    tag,
    digest: manifest.digest,
    layout,
    layers: [
      ...base.layers.map(
        ({ descriptor, diffId }): ReleaseLayer => ({ ...descriptor, kind: "base", diffId, reused: true }),
      ),
      ...layers.map(
        ({ kind, layer, reused }): ReleaseLayer => ({
          ...layer.descriptor,
          kind,
          diffId: layer.diffId,
          reused,
        }),
      ),
    ],
    files: output.files,
    pages,
    annotations,
    ...referrer,
    port: base.port,
  };
}

/** A page is what a browser shows as one. */
export function isPage(path: string): boolean {
  return /\.html?$/.test(path);
}

interface SiteLayer extends CachedLayer {
  readonly kind: "config" | "assets" | "html";
}

async function siteLayers(
  { lock, output, cache, packer }: PackOptions,
  tag: string,
  port: number,
): Promise<readonly SiteLayer[]> {
  const kept = new LayerCache(cache);
  const texts = serverConfiguration({ release: tag, port });
  const config = await kept.layer({ layout: lock.layout, texts }, (blobs) =>
    writeReleaseLayer(blobs, textEntries(texts), packer.gzip),
  );
  const layers: SiteLayer[] = [{ kind: "config", ...config }];
  for (const kind of ["assets", "html"] as const) {
    const content = contentOf(kind, output);
    // A layer without a file would only cost a request.
    if (content.files.length === 0 && content.links.length === 0) continue;
    const made = await kept.layer({ layout: lock.layout, ...content }, (blobs) =>
      writeReleaseLayer(blobs, siteEntries(output.folder, content, packer), packer.gzip),
    );
    layers.push({ kind, ...made });
  }
  await kept.trim(new Date());
  return layers;
}

function* textEntries(texts: Readonly<Record<string, string>>): Generator<LayerEntry> {
  const known = new Set<string>();
  for (const [path, text] of Object.entries(texts)) {
    yield* parents(path, known);
    const content = Buffer.from(text);
    yield { entry: { type: "file", path, mode: 0o644, content }, content };
  }
  // A release without files of one kind still has the folder that nginx is told of.
  yield* parents(`${SITE_ROOT}/`, known);
}

interface Facts {
  readonly tag: string;
  readonly pages: number;
  readonly spdx: Descriptor;
}

function annotationsOf(
  { site, source, lock }: PackOptions,
  { tag, pages, spdx }: Facts,
): Record<string, string> {
  const [repository = "", digest = ""] = lock.base.split("@");
  const { pages: pageCount, sbom: document, layout } = releaseAnnotations;
  return {
    [layout]: String(lock.layout),
    [pageCount]: String(pages),
    [document]: spdx.digest,
    "org.opencontainers.image.base.digest": digest,
    "org.opencontainers.image.base.name": repository,
    "org.opencontainers.image.created": source.committedAt,
    "org.opencontainers.image.ref.name": tag,
    "org.opencontainers.image.revision": source.commit,
    "org.opencontainers.image.title": site,
    "org.opencontainers.image.version": tag,
  };
}

interface ConfigFacts {
  readonly annotations: Readonly<Record<string, string>>;
  readonly committedAt: string;
  readonly diffIds: readonly string[];
}

/** The base's configuration with the site's layers; entry point, user, port and environment stay the base's. */
function configOf(
  { document, layers }: BaseImage,
  { annotations, committedAt, diffIds }: ConfigFacts,
): object {
  const { history = [], config } = document;
  return {
    ...document,
    created: committedAt,
    config: { ...config, Labels: { ...config.Labels, ...annotations } },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [
      ...history,
      ...diffIds.slice(layers.length).map(() => ({ created: committedAt, created_by: "castle publish" })),
    ],
  };
}

const SPDX = "application/spdx+json";
const EMPTY = "application/vnd.oci.empty.v1+json";

/** The SPDX document as an artifact that names the image as its subject. */
async function writeReferrer(
  layout: string,
  subject: Descriptor,
  spdx: Descriptor,
): Promise<Pick<PackedRelease, "sbom" | "sbomBlobs">> {
  const blobs = join(layout, "blobs", "sha256");
  const config = await writeBlob(blobs, EMPTY, {});
  const sbom = await writeBlob(blobs, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: SPDX,
    config,
    layers: [spdx],
    subject,
  });
  return { sbom, sbomBlobs: [config, spdx] };
}
