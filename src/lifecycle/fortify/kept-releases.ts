import { findImage, writeImage, type YamlFile } from "../../gitops/edit/image-edit.ts";
import type { KeptPieces } from "../../gitops/generated-folder.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { isSameImage } from "../../image/image-name.ts";
import { referenceParts } from "../../gitops/edit/reference-parts.ts";
import { platformImages } from "../../platform/surroundings.ts";
import type { Castle } from "../../spec/castle.ts";

/**
 * Which release of a site runs is for castle publish to say: a new rendering of the platform keeps the one that the
 * manifests name, instead of going back to the page from before the first.
 */
export function keptReleases(castle: Castle): KeptPieces {
  const { sites = [] } = castle;
  const placeholder = referenceParts(platformImages(castle).placeholder).name;
  return {
    isIn: (path) => /^sites\/[^/]+\.yaml$/.test(path),
    put: (wanted, there) => {
      for (const { image } of sites) {
        const live = placeOf({ path: "there", bytes: there }, image, (name) => isSameImage(name, image));
        const { tag, digest } = live ?? {};
        if (tag === undefined || digest === undefined) continue;
        const file = { path: "wanted", bytes: wanted };
        const place = placeOf(file, image, (name) => name === placeholder);
        if (place !== undefined) return writeImage(file, place, { tag, digest }, image);
      }
      return wanted;
    },
  };
}

/** Undefined: the file names no such image, or in a way that castle does not touch. */
function placeOf(file: YamlFile, name: string, isOurs: (name: string) => boolean) {
  try {
    return findImage([file], { name, isOurs });
  } catch (error) {
    if (error instanceof CastleError) return undefined;
    throw error;
  }
}
