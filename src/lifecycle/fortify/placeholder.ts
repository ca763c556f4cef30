import { join } from "node:path";
import { parseImageReference } from "../../image/image-reference.ts";
import { pushImage } from "../../image/image-push.ts";
import type { RegistryClient } from "../../image/registry-client.ts";
import { writeSiteImage } from "../../image/site-image.ts";
import { platformImages } from "../../platform/surroundings.ts";
import type { CastleRun } from "../castle-run.ts";
import type { PlatformMaterials } from "./materials.ts";

/** Builds the page that a site shows before its first release, and pushes it where the nodes pull from. */
export async function pushPlaceholder(
  { castle, home, signal }: Pick<CastleRun, "castle" | "home" | "signal">,
  { base, pages }: PlatformMaterials["placeholder"],
  registry: RegistryClient,
): Promise<void> {
  const { repository, reference } = parseImageReference(platformImages(castle).placeholder);
  const folder = join(home.images, repository);
  const { digest } = await writeSiteImage({
    base,
    pages,
    release: `${repository}-${reference}`,
    folder,
    signal,
  });
  if ((await registry.digest(repository, reference)) === digest) return;
  await pushImage(registry, folder, { repository, tag: reference });
}
