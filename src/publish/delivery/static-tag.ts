import { CastleError } from "../../errors/castle-error.ts";
import { type ImagePlace, placeText } from "../../gitops/edit/image-place.ts";

/** Tags that move: whoever names one does not know what runs, and cannot go back to it. */
const MOVING =
  /^(?:latest|main|master|trunk|head|dev|develop|development|staging|stage|test|stable|edge|nightly|prod|production|current|release|v?\d+(?:\.\d+)?)$/i;

export function isStaticTag(tag: string): boolean {
  return MOVING.test(tag);
}

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
