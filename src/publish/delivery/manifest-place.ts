import { findImage, type WantedImage, type YamlFile } from "../../gitops/edit/image-edit.ts";
import type { ImagePlace } from "../../gitops/edit/image-place.ts";
import type { Tip } from "../../gitops/repository.ts";
import { isFile } from "../../gitops/tree-entry.ts";
import { CastleError } from "../../errors/castle-error.ts";
import { isSameImage } from "../../image/image-name.ts";
import { commitOfTag } from "../release.ts";
import type { Delivery } from "./delivery.ts";
import { refuseStaticTag } from "./static-tag.ts";

/** Where the manifests of a tip say which release of the site runs, and which that is. */
export interface LivePlace {
  readonly place: ImagePlace;
  readonly file: YamlFile;
  /** It shows the page from before the first release. */
  readonly isPlaceholder: boolean;
  /** The release's tag; undefined where only a digest stands, or the placeholder. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** Digits of the site's commit, if the tag has them. */
  readonly commit: string | undefined;
}

/** @throws CastleError gitops/image-missing, gitops/image-ambiguous, gitops/image-unwritable, publish/static-tag */
export async function readLivePlace(
  { site, manifests }: Pick<Delivery, "site" | "manifests">,
  tip: Tip,
): Promise<LivePlace> {
  const placeholder = manifests.isPlaceholder ?? (() => false);
  const wanted: WantedImage = {
    name: site.image,
    isOurs: (name, place) => isSameImage(name, site.image) || placeholder(place),
  };
  const files = await yamlFiles(manifests, tip);
  const place = findInLikely(files, wanted, site.image);
  const file = files.find(({ path }) => path === place.file);
  if (file === undefined) throw new Error(`${place.file} was read and is not there`);
  const isPlaceholder = placeholder(place);
  if (!isPlaceholder) refuseStaticTag(place);
  const tag = isPlaceholder ? undefined : place.tag;
  return {
    place,
    file,
    isPlaceholder,
    tag,
    digest: isPlaceholder ? undefined : place.digest,
    commit: tag === undefined ? undefined : realCommit(commitOfTag(site.name, tag)),
  };
}

/** Zeros are Git's word for no commit, and what a manifest names before its first release. */
export function realCommit(digits: string | undefined): string | undefined {
  return digits === undefined || /^0+$/.test(digits) ? undefined : digits;
}

/** Parsing every file of a platform takes seconds; most do not even contain the image's last word. */
function findInLikely(files: readonly YamlFile[], wanted: WantedImage, image: string): ImagePlace {
  const needles = [image.slice(image.lastIndexOf("/") + 1), "placeholder"].map((word) => Buffer.from(word));
  const likely = files.filter(({ bytes }) => needles.some((word) => Buffer.from(bytes).includes(word)));
  try {
    return findImage(likely, wanted);
  } catch (error) {
    if (!(error instanceof CastleError && error.code === "gitops/image-missing")) throw error;
    return findImage(files, wanted);
  }
}

async function yamlFiles(
  { repository, folder }: Delivery["manifests"],
  tip: Tip,
): Promise<readonly YamlFile[]> {
  const entries = (await repository.entries(tip, folder)).filter(
    (entry) => isFile(entry) && /(?:\.ya?ml|(?:^|\/)Kustomization)$/.test(entry.path),
  );
  const contents = await repository.contents(entries.map(({ id }) => id));
  return entries.flatMap(({ path, id }) => {
    const bytes = contents.get(id);
    return bytes === undefined ? [] : [{ path, bytes }];
  });
}
