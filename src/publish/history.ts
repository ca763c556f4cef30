import { type PastCommit, trailer } from "../gitops/past-commit.ts";
import type { Tip } from "../gitops/repository.ts";
import { TRAILERS } from "./delivery/manifest-commit.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { type LivePlace, readLivePlace, realCommit } from "./delivery/manifest-place.ts";
import { commitOfTag } from "./release.ts";

/** A release as the manifests' history knows it. */
export interface PastRelease {
  /** Digits of the site's commit: forty, or as many as its tag has. */
  readonly commit: string;
  readonly tag: string;
  /** Unknown of releases that were made by hand. */
  readonly digest: string | undefined;
  /** When it first became the wanted one, ISO 8601. */
  readonly at: string;
}

export interface ReleaseHistory {
  readonly tip: Tip;
  readonly live: LivePlace;
  /** In the order in which they were first wanted, oldest first; each once. */
  readonly releases: readonly PastRelease[];
}

/** @param seen the tip of a moment ago @throws CastleError gitops/… */
export async function releaseHistory(
  delivery: Pick<Delivery, "site" | "manifests">,
  seen?: Tip,
): Promise<ReleaseHistory> {
  const { repository } = delivery.manifests;
  const tip = seen ?? (await repository.fetchTip());
  const live = await readLivePlace(delivery, tip);
  const past = await repository.past(tip, [live.place.file]);
  const releases = new Map<string, PastRelease>();
  for (const commit of past.toReversed()) {
    for (const release of releasesIn(delivery.site.name, commit)) {
      const known = releases.get(release.tag);
      // A first commit by hand, and later one that knows the digest.
      if (known === undefined) releases.set(release.tag, release);
      else if (known.digest === undefined) releases.set(release.tag, { ...known, digest: release.digest });
    }
  }
  return { tip, live, releases: [...releases.values()] };
}

/** Those that a commit names: by its trailers, or in the lines that it added. */
export function releasesIn(site: string, past: PastCommit): readonly PastRelease[] {
  const { at, added } = past;
  const [digest, source] = [trailer(past, TRAILERS.digest), trailer(past, TRAILERS.source)];
  if (trailer(past, TRAILERS.site) === site && digest !== undefined && source !== undefined) {
    const image = trailer(past, TRAILERS.image) ?? "";
    return [{ commit: source, tag: image.slice(image.lastIndexOf(":") + 1), digest, at }];
  }
  const digests = [...new Set(added.flatMap((line) => line.match(/sha256:[0-9a-f]{64}/g) ?? []))];
  const tags = added.flatMap((line) => line.match(/[\w][\w.-]{0,127}-[0-9a-f]{7,40}(?![0-9a-f])/g) ?? []);
  return [...new Set(tags)].flatMap((tag) => {
    const commit = realCommit(commitOfTag(site, tag));
    if (commit === undefined) return [];
    return [{ commit, tag, at, digest: tags.length === 1 && digests.length === 1 ? digests[0] : undefined }];
  });
}
