import type { LayerKind } from "../release.ts";

/** Names that carry a hash of their content, as Hugo's pipes (`app.<64>.css`) and pictures (`cat_hu_<16>.webp`) do. */
export const fingerprint = /[._-][0-9a-f]{16,128}\.[a-z0-9]+$/;

/** Pictures, fonts, films and archives: they rarely change, and weigh most. */
const media = /\.(?:avif|gif|ico|jpe?g|mp3|mp4|ogg|otf|pdf|png|svg|tar|tgz|ttf|wasm|webm|webp|woff2?|zip)$/i;

/** Files whose bytes stay from release to release lie in a layer of their own, so that a new text does not upload them. */
export function layerKind(path: string): Extract<LayerKind, "assets" | "html"> {
  return fingerprint.test(path.toLowerCase()) || media.test(path) ? "assets" : "html";
}

/** Endings of what is worth packing. */
export const TEXT_ENDINGS =
  "css csv htm html js json map md mjs rss svg ttf txt wasm webmanifest xml xsl".split(" ");
const text = new RegExp(`\\.(?:${TEXT_ENDINGS.join("|")})$`, "i");
/** Bytes: below them a compressed copy saves no packet. */
export const SMALLEST_COMPRESSED = 1024;

/** Whether nginx shall find a compressed copy beside it. */
export function isCompressible(path: string, bytes: number): boolean {
  return bytes >= SMALLEST_COMPRESSED && text.test(path);
}
