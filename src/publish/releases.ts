import { withRetries } from "../image/registry-retry.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { releaseHistory } from "./history.ts";
import { commitOfTag } from "./release.ts";

export interface KnownRelease {
  readonly tag: string;
  readonly commit: string;
  readonly digest: string | undefined;
  /** When it first became the wanted one, ISO 8601; undefined: it never was. */
  readonly at: string | undefined;
  /** It is what the manifests name now. */
  readonly live: boolean;
  /** The registry still has it, and nobody wrote over it: a rollback can go there. */
  readonly registry: "there" | "gone" | "changed";
}

/** Tags of one look at the registry; the newest count. */
const MOST = 50;

/**
 * What Git's history and the registry know of a site's releases, newest first; those that were pushed and never
 * committed come last.
 * @throws CastleError gitops/…, image/registry-*
 */
export async function releases(
  delivery: Pick<Delivery, "site" | "manifests" | "registry" | "image" | "signal">,
): Promise<readonly KnownRelease[]> {
  const { registry, image, site, signal } = delivery;
  const [history, tags] = await Promise.all([
    releaseHistory(delivery),
    withRetries(() => registry.tags(image.repository), { signal }),
  ]);
  const past = history.releases.toReversed().slice(0, MOST);
  const known = new Set(history.releases.map(({ tag }) => tag));
  const never = tags
    .filter((tag) => !known.has(tag) && commitOfTag(site.name, tag) !== undefined)
    .slice(0, MOST);
  const digests = new Map(
    await Promise.all(
      [...past.map(({ tag }) => tag), ...never].map(
        async (tag) =>
          [tag, await withRetries(() => registry.digest(image.repository, tag), { signal })] as const,
      ),
    ),
  );
  return [
    ...past.map(({ tag, commit, digest, at }) => ({
      tag,
      commit,
      digest: digest ?? digests.get(tag),
      at,
      live: tag === history.live.tag,
      registry: inRegistry(digests.get(tag), digest),
    })),
    ...never.map((tag) => ({
      tag,
      commit: commitOfTag(site.name, tag) ?? "",
      digest: digests.get(tag),
      at: undefined,
      live: false,
      registry: "there" as const,
    })),
  ];
}

function inRegistry(found: string | undefined, recorded: string | undefined): KnownRelease["registry"] {
  if (found === undefined) return "gone";
  return recorded === undefined || found === recorded ? "there" : "changed";
}
