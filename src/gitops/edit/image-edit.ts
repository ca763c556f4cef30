import { isDeepStrictEqual } from "node:util";
import { CastleError } from "../../errors/castle-error.ts";
import { type ImagePlace, placeText, type PlaceRule } from "./image-place.ts";
import { imagePlaces } from "./image-places.ts";
import { parseYamlText, type YamlText } from "./yaml-text.ts";

export interface YamlFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WantedImage {
  /** The image's name for people, without tag. */
  readonly name: string;
  /** Whether a name as a manifest writes it means this image. */
  readonly isOurs: (name: string, place: ImagePlace) => boolean;
  /** Written instead of the name that stands there, where it is told; only a whole reference has room for it. */
  readonly rename?: (place: ImagePlace) => string | undefined;
}

export interface Release {
  readonly tag: string;
  /** sha256:… */
  readonly digest: string;
}

/**
 * The one place where these files name the image.
 * @throws CastleError gitops/image-missing with the nearest candidates, gitops/image-ambiguous,
 *   gitops/image-unwritable with the rule
 */
export function findImage(files: readonly YamlFile[], wanted: WantedImage): ImagePlace {
  const places = files.flatMap(placesOf);
  const ours = places.filter((place) => wanted.isOurs(place.name, place));
  // A container without a tag is what a Kustomization or a chart fills in; it counts where nothing else does.
  const tagged = ours.filter(({ tag, digest }) => tag !== undefined || digest !== undefined);
  const matches = tagged.length > 0 ? tagged : ours;
  const bound = matches.find(({ rule }) => rule !== undefined);
  if (bound?.rule !== undefined) throw unwritable(bound, bound.rule);
  const [match, ...others] = matches;
  if (match === undefined) throw missing(wanted.name, places);
  if (others.length === 0) return match;
  throw new CastleError("gitops/image-ambiguous", {
    message: [
      `${matches.length} places name the image ${wanted.name}, and castle does not choose:`,
      ...matches.map(line),
    ].join("\n"),
    hint: "set gitops.path to the folder of one of them, or take the image out of the others",
    details: { image: wanted.name, places: matches.map(placeText) },
  });
}

/**
 * The file with the place's release replaced: no other byte changes, and the YAML says the same everywhere else.
 * @throws CastleError gitops/image-unwritable
 */
export function writeImage(
  file: YamlFile,
  place: ImagePlace,
  release: Release,
  name = place.name,
): Uint8Array {
  const before = parseYamlText(file.path, file.bytes);
  if (before === undefined) throw unwritable(place, "not-yaml");
  let text = before.text;
  // From the back, so that the offsets of those before stay true.
  for (const { holds, start, end } of place.spans.toSorted((one, other) => other.start - one.start)) {
    text = text.slice(0, start) + spanText(holds, name, release) + text.slice(end);
  }
  const bytes = Buffer.from(text);
  const after = parseYamlText(file.path, bytes);
  if (after === undefined || !saysTheSame(before, after, place)) throw unwritable(place, "not-yaml");
  return bytes;
}

/** What a place says now is what the release is. */
export function showsRelease({ tag, digest, spans }: ImagePlace, release: Release): boolean {
  const hasTag = spans.some(({ holds }) => holds !== "digest");
  return digest === release.digest && (!hasTag || tag === release.tag);
}

function placesOf({ path, bytes }: YamlFile): readonly ImagePlace[] {
  const text = parseYamlText(path, bytes);
  return text === undefined ? [] : imagePlaces(text);
}

function spanText(
  holds: ImagePlace["spans"][number]["holds"],
  name: string,
  { tag, digest }: Release,
): string {
  switch (holds) {
    case "reference":
      return `${name}:${tag}@${digest}`;
    case "tag-and-digest":
      return `${tag}@${digest}`;
    case "tag":
      return tag;
    case "digest":
      return digest;
    default:
      return holds satisfies never;
  }
}

/** The last guard, against a fault of castle's own: all documents are equal but for the replaced values. */
function saysTheSame(before: YamlText, after: YamlText, place: ImagePlace): boolean {
  const old = new Set(place.spans.map(({ start, end }) => before.text.slice(start, end)));
  let changed = 0;
  const same = (one: unknown, other: unknown): boolean => {
    if (typeof one === "object" && one !== null && typeof other === "object" && other !== null) {
      const [left, right] = [Object.entries(one), Object.entries(other)];
      return (
        left.length === right.length &&
        left.every(([key, value], index) => right[index]?.[0] === key && same(value, right[index]?.[1]))
      );
    }
    if (isDeepStrictEqual(one, other)) return true;
    changed += 1;
    return old.has(String(one).trimEnd()) && typeof other === "string";
  };
  return (
    after.documents.every(({ errors }) => errors.length === 0) &&
    same(plain(before), plain(after)) &&
    changed <= place.spans.length
  );
}

function plain({ documents }: YamlText): unknown[] {
  return documents.map((document): unknown => document.toJS({ maxAliasCount: -1 }));
}

function line(place: ImagePlace): string {
  return `  ${placeText(place)}`;
}

/** How many places a message shows. */
const SHOWN = 5;

function missing(image: string, places: readonly ImagePlace[]): CastleError {
  const nearest = places
    .toSorted((one, other) => nearness(other.name, image) - nearness(one.name, image))
    .slice(0, SHOWN);
  return new CastleError("gitops/image-missing", {
    message: [
      `No manifest names the image ${image}${nearest.length === 0 ? ": none names an image at all" : "; the nearest are:"}`,
      ...nearest.map(line),
    ].join("\n"),
    hint: "commit a manifest that runs this image to the GitOps repository, or mend the site's image",
    details: { image, nearest: nearest.map(placeText) },
  });
}

/** How many words two names share; the last ones tell most. */
function nearness(one: string, other: string): number {
  const words = new Set(one.toLowerCase().split(/[^a-z0-9]+/));
  const shared = other.toLowerCase().split(/[^a-z0-9]+/);
  return shared.reduce((sum, word, index) => sum + (words.has(word) ? 2 ** index : 0), 0);
}

const WHY: Readonly<Record<PlaceRule, string>> = {
  alias: "it is an alias of something written elsewhere",
  anchor: "it carries an anchor, or lies in one that is used elsewhere: it would change there as well",
  "duplicate-key": "a key stands twice in this document, so nobody knows which one counts",
  "multi-line": "its value goes over several lines",
  "not-yaml": "the document is not YAML that can be read",
  sops: "the file is sealed by SOPS, whose checksum an edit would break",
  tagged: "it has a YAML tag of its own",
  template: "a template stands there: what the cluster gets is made from it",
};

function unwritable(place: ImagePlace, rule: PlaceRule): CastleError {
  return new CastleError("gitops/image-unwritable", {
    message: `${placeText(place)} cannot be written (rule ${rule}): ${WHY[rule]}`,
    hint: "write the image out as a plain value in a plain manifest, or in a Kustomization's images",
    details: { file: place.file, line: place.line, rule },
  });
}
