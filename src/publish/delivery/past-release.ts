import { CastleError } from "../../errors/castle-error.ts";
import { withRetries } from "../../image/registry-retry.ts";
import type { PastRelease } from "../history.ts";
import type { Delivery, ReleaseName } from "./delivery.ts";
import type { FluxFollower } from "./flux-follower.ts";
import type { ManifestCommit } from "./manifest-commit.ts";
import { type Proof, proveLive } from "./prove-live.ts";
import { factsFromRegistry } from "./release-facts.ts";
import type { DeliveryRun } from "./run.ts";

/** The image is there, and is the one that Git's history names. */
export async function pastInRegistry(
  { registry, image, signal }: Delivery,
  { commit, tag, digest }: PastRelease,
): Promise<ReleaseName> {
  const found = await withRetries(() => registry.digest(image.repository, tag), { signal });
  if (digest !== undefined && found === digest) return { commit, tag, digest };
  if (found === undefined) {
    throw new CastleError("publish/digest-changed", {
      message: `${registry.host} has no ${image.repository}:${tag} any more`,
      hint: `check out that commit and publish it under a new one, or choose another release: castle releases`,
    });
  }
  // A release from before castle: the tag is all that anybody wrote down.
  if (digest === undefined) return { commit, tag, digest: found };
  throw new CastleError("publish/digest-changed", {
    message: `${image.repository}:${tag} is ${found} in the registry, and ${digest} in the manifests' history: somebody wrote over it`,
    hint: "castle releases shows which releases are untouched",
    details: { tag, found, recorded: digest },
  });
}

interface Committed {
  readonly release: ReleaseName;
  readonly committed: ManifestCommit;
  /** Undefined: it has to be looked for. */
  readonly follower?: FluxFollower | undefined;
}

/** Proves a release that is known from the registry alone; undefined: there is no cluster to ask. */
export async function proveRelease(
  delivery: Delivery,
  run: DeliveryRun,
  { release, committed, follower }: Committed,
): Promise<Proof | undefined> {
  const { cluster } = delivery;
  if (cluster === undefined) return undefined;
  return proveLive(delivery, cluster, run, {
    facts: () => factsFromRegistry(delivery, release),
    committed: { ...committed, release },
    follower,
  });
}
