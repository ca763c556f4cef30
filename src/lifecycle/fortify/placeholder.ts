import { join } from "node:path";
import { parseImageReference } from "../../image/image-reference.ts";
import { pushImage } from "../../image/image-push.ts";
import { RegistryClient } from "../../image/registry-client.ts";
import { writeSiteImage } from "../../image/site-image.ts";
import { platformImages } from "../../platform/surroundings.ts";
import type { CastleRun } from "../castle-run.ts";
import type { PlatformGround } from "../ground/ground.ts";
import type { PlatformMaterials } from "./materials.ts";

/** Builds the page that a site shows before its first release, and pushes it where the nodes pull from. */
export async function pushPlaceholder(
  { home, signal }: Pick<CastleRun, "home" | "signal">,
  { base, pages }: PlatformMaterials["placeholder"],
  registry: NonNullable<PlatformGround["registry"]>,
): Promise<void> {
  const { repository, reference } = parseImageReference(platformImages({}).placeholder);
  const folder = join(home.images, repository);
  const { digest } = await writeSiteImage({
    base,
    pages,
    release: `${repository}-${reference}`,
    folder,
    signal,
  });
  const client = new RegistryClient({ endpoint: `http://${registry.host}:${registry.port}` });
  if ((await client.digest(repository, reference)) === digest) return;
  await pushImage(client, folder, { repository, tag: reference });
}
