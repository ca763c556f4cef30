import { findCredentials } from "../image/registry-credentials.ts";
import { type ImageName, registryEndpoint } from "../image/image-name.ts";
import { RegistryClient } from "../image/registry-client.ts";
import type { Context } from "./context.ts";

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
  return new RegistryClient({
    endpoint: registryEndpoint(image.registry, insecure.includes(image.registry) || undefined),
    credentials: found.credentials,
    credentialSource: found.source,
    signal: context.signal,
  });
}
