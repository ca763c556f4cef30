import { stringify } from "yaml";
import type { Manifest } from "./manifest.ts";

/** What a reader looks for first; every other key comes in alphabetical order. */
const FIRST = ["apiVersion", "kind", "metadata", "name", "namespace"];

/** YAML of the objects, one a document: the same objects always give the same bytes. */
export function manifestText(header: string, manifests: readonly Manifest[]): string {
  return `# ${header}\n${manifests.map(documentText).join("---\n")}`;
}

function documentText(value: unknown): string {
  return stringify(sorted(value), {
    // Go's reader still believes in YAML 1.1, where `on`, `no` and 1:30 are no strings.
    compat: "yaml-1.1",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([one], [other]) => compare(one, other))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}

function compare(one: string, other: string): number {
  return rank(one) - rank(other) || (one < other ? -1 : one > other ? 1 : 0);
}

function rank(key: string): number {
  return FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length;
}
