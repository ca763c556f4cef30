import { CastleError } from "../../errors/castle-error.ts";
import { type ImagePlace, placeText } from "../../gitops/edit/image-place.ts";
import { isStaticTag } from "../../image/static-tag.ts";

/** @throws CastleError publish/static-tag if what a manifest names now is no release */
export function refuseStaticTag(place: ImagePlace): void {
  const { tag, digest } = place;
  const why =
    tag === undefined && digest === undefined
      ? "no tag at all, which means latest"
      : tag !== undefined && isStaticTag(tag)
        ? `the static tag ${tag}`
        : undefined;
  if (why === undefined) return;
  throw new CastleError("publish/static-tag", {
    message: `${placeText(place)} has ${why}: what runs there cannot be told, and nothing leads back to it`,
    hint: "write the tag of the release that runs there, or any commit's such as SITE-0000000, and publish again",
    details: { file: place.file, line: place.line },
  });
}
