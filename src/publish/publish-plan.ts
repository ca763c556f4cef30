import { CastleError } from "../errors/castle-error.ts";
import { readLayoutImage } from "../image/layout-image.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { preflight } from "./delivery/preflight.ts";
import { factsFromRegistry, type ReleaseFacts } from "./delivery/release-facts.ts";
import { DeliveryRun } from "./delivery/run.ts";
import { Standing } from "./delivery/standing.ts";
import type { PublishOptions } from "./publish.ts";
import { releaseTag, type ReleaseFile } from "./release.ts";

/** What a publication would do. */
export interface PublishPlan {
  readonly site: string;
  readonly commit: string;
  readonly tag: string;
  readonly digest: string;
  /** Tag of the live release. */
  readonly live: string | undefined;
  /** The release is what the manifests name already. */
  readonly same: boolean;
  /** Paths of files, sorted. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly gone: readonly string[];
  /** Files whose fate is not known, because the live release does not list its own. */
  readonly unlisted: boolean;
  readonly pages: number;
  /** Bytes of all files, and of what would travel to the registry. */
  readonly bytes: number;
  readonly push: { readonly blobs: number; readonly bytes: number };
  readonly warnings: readonly string[];
}

/**
 * Builds and compares; changes nothing outside of this machine.
 * @throws CastleError as a publication does until its push
 */
export async function planPublication(
  delivery: Delivery,
  { source, tip, build }: Pick<PublishOptions, "source" | "tip" | "build">,
): Promise<PublishPlan> {
  const tag = releaseTag(delivery.site.name, source.commit);
  const run = new DeliveryRun(delivery, new Standing(tag));
  const seen = await run.phase({ phase: "source", step: "preflight", title: "Preflight" }, () =>
    preflight(delivery, run, { commit: source.commit, tip }),
  );
  const { live } = seen;
  const before = await liveFacts(delivery, live.digest);
  const packed = await run.phase({ phase: "build", step: "build", title: "Build" }, async () => {
    const release = await build(before?.pages);
    return { ...release, detail: `${release.pages} pages` };
  });
  const { registry, image } = delivery;
  const { config } = await readLayoutImage(packed.layout);
  const missing = await run.phase({ phase: "registry", step: "registry", title: "Registry" }, async () => {
    const blobs = [...new Map([...packed.layers, config].map((blob) => [blob.digest, blob])).values()];
    const there = await Promise.all(blobs.map(({ digest }) => registry.hasBlob(image.repository, digest)));
    const wanting = blobs.filter((_, index) => there[index] !== true);
    return { blobs: wanting, detail: `${wanting.length} of ${blobs.length} blobs are missing` };
  });
  return {
    site: delivery.site.name,
    commit: source.commit,
    tag,
    digest: packed.digest,
    live: live.tag,
    same: live.digest === packed.digest,
    ...differences(before?.files ?? [], packed.files),
    unlisted: live.digest !== undefined && (before === undefined || before.files.length === 0),
    pages: packed.pages,
    bytes: packed.files.reduce((sum, { bytes }) => sum + bytes, 0),
    push: {
      blobs: missing.blobs.length,
      bytes: missing.blobs.reduce((sum, { size }) => sum + size, 0),
    },
    warnings: [...source.warnings, ...seen.warnings],
  };
}

async function liveFacts(delivery: Delivery, digest: string | undefined): Promise<ReleaseFacts | undefined> {
  if (digest === undefined) return undefined;
  return factsFromRegistry(delivery, { commit: "", tag: "", digest }).catch((error: unknown) => {
    if (error instanceof CastleError && error.code === "image/not-found") return undefined;
    throw error;
  });
}

export function differences(
  before: readonly ReleaseFile[],
  after: readonly ReleaseFile[],
): Pick<PublishPlan, "added" | "changed" | "gone"> {
  const old = new Map(before.map(({ path, sha256 }) => [path, sha256]));
  const fresh = new Set(after.map(({ path }) => path));
  return {
    added: after.filter(({ path }) => !old.has(path)).map(({ path }) => path),
    changed: after
      .filter(({ path, sha256 }) => old.has(path) && old.get(path) !== sha256)
      .map(({ path }) => path),
    gone: before.filter(({ path }) => !fresh.has(path)).map(({ path }) => path),
  };
}
