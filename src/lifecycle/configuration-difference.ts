import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments } from "yaml";

/**
 * Where two machine configurations differ, as paths ("machine.kubelet.extraConfig.httpCheckFrequency"), sorted. Never a
 * value: many are secrets. The order of keys and the way of quoting mean nothing.
 */
export function differingPaths(active: string, wanted: string): readonly string[] {
  const [before, after] = [documents(active), documents(wanted)];
  const names = new Set([...before.keys(), ...after.keys()]);
  const found = [...names].flatMap((name) => [...compare(before.get(name), after.get(name), name)]);
  return [...new Set(found)].sort();
}

/** The machine's own document has no kind and the empty name; others go by kind and name. */
function documents(text: string): ReadonlyMap<string, unknown> {
  return new Map(
    parseAllDocuments(text).map((document) => {
      const content: unknown = document.toJS();
      const { kind, name } = isMapping(content) ? content : {};
      const key = [kind, name].filter((part) => typeof part === "string").join("/");
      return [key, content] as const;
    }),
  );
}

function* compare(before: unknown, after: unknown, path: string): Generator<string> {
  if (isDeepStrictEqual(before, after)) return;
  if (!isMapping(before) || !isMapping(after)) {
    yield path === "" ? "all of it" : path;
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    yield* compare(before[key], after[key], path === "" ? key : `${path}.${key}`);
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
