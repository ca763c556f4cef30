import type { Repository } from "../gitops/repository.ts";
import { gitAccess } from "../lifecycle/fortify/git-access.ts";
import type { PlatformGround } from "../lifecycle/ground/ground.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Castle } from "../spec/castle.ts";
import type { OpenManifests } from "./manifests-copy.ts";

interface ManifestsOf {
  readonly name: string;
  readonly gitops: NonNullable<Castle["gitops"]>;
  readonly store: SecretStore;
}

/** The repository of a castle that stands, with the credentials that the ground or the store has for it. */
export async function castleManifests(
  { name, gitops, store }: ManifestsOf,
  platform: Promise<PlatformGround>,
  openManifests: OpenManifests,
): Promise<Repository> {
  const ground = await platform;
  const { credentials } = await gitAccess({ store }, ground);
  return openManifests({
    url: ground.repository.outside,
    branch: gitops.branch,
    credentials,
    email: `castle@${name}.lan`,
  });
}
