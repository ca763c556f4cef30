import { type ImageName, registryEndpoint } from "../image/image-name.ts";
import { RegistryClient } from "../image/registry-client.ts";
import { findCredentials, type FoundCredentials } from "../image/registry-credentials.ts";
import type { PullAccess } from "../publish/delivery/pull-access.ts";
import type { Context } from "./context.ts";

/** A login file with an account that may only pull, for nodes; otherwise they get the login that pushes. */
const PULL_FILE = "CASTLE_PULL_AUTH_FILE";

/**
 * The registry of an image, with the login that Docker and its neighbours keep for it.
 * @param insecure hosts of registries that speak plain HTTP
 * @throws CastleError image/credentials
 */
export async function imageRegistry(
  context: Context,
  image: ImageName,
  insecure: readonly string[] = [],
): Promise<RegistryClient> {
  const found = await findCredentials({ ...image, environment: context.env, signal: context.signal });
  return clientOf(context, image, insecure, found);
}

/**
 * The same, and the login that nodes may be given.
 * @throws CastleError image/credentials
 */
export async function siteRegistry(
  context: Context,
  image: ImageName,
  insecure: readonly string[],
  keep: PullAccess["keep"],
): Promise<{ readonly registry: RegistryClient; readonly pull: PullAccess | undefined }> {
  const { env, signal } = context;
  const found = await findCredentials({ ...image, environment: env, signal });
  const told = env[PULL_FILE];
  const pulling =
    told === undefined || told === ""
      ? found
      : await findCredentials({ ...image, environment: { ...env, REGISTRY_AUTH_FILE: told }, signal });
  const { credentials, source } = pulling;
  return {
    registry: clientOf(context, image, insecure, found),
    pull:
      credentials === undefined
        ? undefined
        : { credentials, source, keep, anonymous: clientOf(context, image, insecure, undefined) },
  };
}

function clientOf(
  { signal }: Context,
  { registry }: ImageName,
  insecure: readonly string[],
  found: FoundCredentials | undefined,
): RegistryClient {
  return new RegistryClient({
    endpoint: registryEndpoint(registry, insecure.includes(registry) || undefined),
    credentials: found?.credentials,
    credentialSource: found?.source,
    signal,
  });
}
