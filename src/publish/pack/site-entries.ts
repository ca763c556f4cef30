import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../../image/tar-entry.ts";
import type { OutputTree } from "../build/output-tree.ts";
import type { LayerKind, ReleaseFile } from "../release.ts";
import { contentTime } from "./content-time.ts";
import { isCompressible, layerKind } from "./layer-kind.ts";
import type { PagePacker } from "./page-packer.ts";
import { type PackedText, packedTexts } from "./packed-texts.ts";
import type { LayerEntry } from "./release-layer.ts";
import { SITE_ROOT } from "./server-configuration.ts";

type SiteLayer = Extract<LayerKind, "assets" | "html">;

/** What one layer of the site holds, without its bytes. */
export interface SiteContent {
  readonly files: readonly ReleaseFile[];
  readonly links: OutputTree["links"];
}

export function contentOf(kind: SiteLayer, { files, links }: OutputTree): SiteContent {
  const isOurs = ({ path }: { readonly path: string }) => layerKind(path) === kind;
  return { files: files.filter(isOurs), links: links.filter(isOurs) };
}

function isText({ path, bytes }: ReleaseFile): boolean {
  return isCompressible(path, bytes);
}

/** The entries of a layer, folders before what is in them, a file's compressed copy behind it. */
export async function* siteEntries(
  folder: string,
  { files, links }: SiteContent,
  packer: PagePacker,
): AsyncGenerator<LayerEntry> {
  const known = new Set<string>();
  const names = new Set(files.map(({ path }) => path));
  const texts = packedTexts(folder, files.filter(isText), packer);
  for (const file of files) {
    yield* parents(`${SITE_ROOT}/${file.path}`, known);
    const text = isText(file) ? await texts.next() : undefined;
    if (text === undefined || text.done === true) {
      yield plainEntry(file, readFileSync(join(folder, file.path)));
    } else {
      yield* packedEntries(file, text.value, names);
    }
  }
  for (const { path, target } of links) {
    yield* parents(`${SITE_ROOT}/${path}`, known);
    yield { entry: { type: "symlink", path: `${SITE_ROOT}/${path}`, target } };
  }
}

function plainEntry({ path, sha256 }: ReleaseFile, content: Uint8Array): LayerEntry {
  return {
    entry: file(path, content, contentTime(sha256)),
    content,
    incompressible: layerKind(path) === "assets",
  };
}

/** @param names all paths of the layer */
function* packedEntries(
  { path, sha256 }: ReleaseFile,
  { content, packed }: PackedText,
  names: ReadonlySet<string>,
): Generator<LayerEntry> {
  const modified = contentTime(sha256);
  yield { entry: file(path, content, modified), content, packed };
  // A site may bring a compressed copy of its own.
  if (names.has(`${path}.gz`)) return;
  yield { entry: file(`${path}.gz`, packed, modified), content: packed, incompressible: true };
}

function file(path: string, content: Uint8Array, modified: number): TarEntry {
  return { type: "file", path: `${SITE_ROOT}/${path}`, mode: 0o644, content, modified };
}

/** The folders that a path lies in, each once and from the top: unpackers differ on those that are left out. */
export function* parents(path: string, known: Set<string>): Generator<LayerEntry> {
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const folder = path.slice(0, at);
    if (known.has(folder)) continue;
    known.add(folder);
    yield { entry: { type: "directory", path: folder, mode: 0o755 } };
  }
}
