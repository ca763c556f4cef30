import { CastleError } from "../../errors/castle-error.ts";
import type { Delivery } from "./delivery.ts";

/**
 * A tag is written once: no registry has a tag that can only be created, so it is looked at before and after.
 * @returns whether the registry has the release under its tag already
 * @throws CastleError publish/tag-taken
 */
export async function isTagged(
  { registry, image, site }: Pick<Delivery, "registry" | "image" | "site">,
  { tag, digest }: { readonly tag: string; readonly digest: string },
): Promise<boolean> {
  const found = await registry.digest(image.repository, tag);
  if (found === undefined) return false;
  if (found === digest) return true;
  throw new CastleError("publish/tag-taken", {
    message: `${site.image}:${tag} is ${found} in the registry, and the same commit was built as ${digest} here`,
    hint: "what differs is the base, Hugo or the layout in castle.lock: commit that change, so that the release gets a tag of its own",
    details: { tag, found, built: digest },
  });
}
