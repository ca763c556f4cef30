import type { DocumentRule } from "./yaml-text.ts";

/** Why a place that names an image is not one that castle writes to. */
export type PlaceRule = DocumentRule | "alias" | "anchor" | "multi-line" | "tagged";

/** The characters of one scalar that castle may replace, without quotes, comment and indentation. */
export interface Span {
  readonly holds: "reference" | "tag" | "digest" | "tag-and-digest";
  /** Offsets in the file's text. */
  readonly start: number;
  readonly end: number;
}

/** Where a YAML file says which image runs. */
export interface ImagePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: "field" | "kustomize" | "values";
  /** As it is written there, without tag and digest. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
  /** The object around it, if it is one. */
  readonly object?: { readonly kind: string; readonly name: string; readonly namespace?: string };
  readonly spans: readonly Span[];
  readonly rule?: PlaceRule;
}

export function placeText({ file, line, name, tag, digest }: ImagePlace): string {
  const tagged = tag === undefined ? "" : `:${tag}`;
  const pinned = digest === undefined ? "" : `@${digest.slice(0, "sha256:".length + 12)}…`;
  return `${file}:${line} ${name}${tagged}${pinned}`;
}
