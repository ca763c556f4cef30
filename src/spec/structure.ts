import type { z } from "zod";
import type { Draft } from "./draft.ts";
import { formatPath, type Path, withoutCredentials } from "./fault.ts";
import { knownKeys, sectionsWith } from "./known-keys.ts";
import { nearest } from "./nearest.ts";

type Issue = z.core.$ZodIssue;

/** Tells what zod found as faults: wrong values first, then unknown keys, then what is missing. */
export function reportIssues(issues: readonly Issue[], value: unknown, draft: Draft): void {
  const flat = issues.flatMap((issue) => settle(issue));
  const missing = flat.filter(
    (issue) => issue.code !== "unrecognized_keys" && at(value, issue.path) === undefined,
  );
  const isMissing = new Set<Issue>(missing);
  for (const issue of flat) {
    if (issue.code === "unrecognized_keys" || isMissing.has(issue)) continue;
    const path = toPath(issue.path);
    if (draft.trusts(path)) draft.fault(path, { message: wrongValue(path, at(value, path), issue.message) });
  }
  for (const issue of flat) {
    if (issue.code === "unrecognized_keys") reportUnknown(issue, missing, { value, draft });
  }
  for (const issue of missing) {
    const path = toPath(issue.path);
    if (draft.trusts(path)) {
      draft.fault(path, { message: `${formatPath(path)} is missing, expected ${issue.message}` });
    }
  }
}

/** A union's issue is replaced by those of the option that the author meant, where that can be told. */
function settle(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.find(
    (option) => !option.some((inner) => inner.path.length === 0 && inner.code !== "unrecognized_keys"),
  );
  if (meant === undefined) return [issue];
  return meant.flatMap((inner) => settle({ ...inner, path: [...issue.path, ...inner.path] }));
}

function reportUnknown(
  issue: Issue & { readonly code: "unrecognized_keys" },
  missing: readonly Issue[],
  { value, draft }: { readonly value: unknown; readonly draft: Draft },
): void {
  const section = toPath(issue.path);
  const known = knownKeys(section);
  const absent = missing
    .map((other) => toPath(other.path))
    .filter(
      (path) => path.length === section.length + 1 && section.every((step, index) => path[index] === step),
    )
    .map((path) => String(path.at(-1)));
  const where = section.length === 0 ? "" : ` in ${formatPath(section)}`;
  const say = (key: string, hint: string) =>
    draft.fault([...section, key], { message: `${key} is not a key${where}`, hint, part: "key" });
  const free = known.filter((candidate) => at(value, [...section, candidate]) === undefined);
  const strangers: string[] = [];
  for (const key of issue.keys) {
    if (!draft.trusts([...section, key])) continue;
    const meant = nearest(key, free) ?? nearest(key, known);
    if (meant === undefined) strangers.push(key);
    else say(key, `did you mean ${meant}?`);
    if (meant !== undefined && free.includes(meant)) draft.distrust([...section, meant]);
  }
  const unfilled = absent.filter((key) => draft.trusts([...section, key]));
  for (const key of strangers) {
    const homes = sectionsWith(key);
    for (const home of homes) draft.distrust([...home, key]);
    if (strangers.length === 1 && unfilled.length === 1 && unfilled[0] !== undefined) {
      // One key too many and one too few: they are the same key, whatever its spelling.
      say(key, `did you mean ${unfilled[0]}?`);
      draft.distrust([...section, unfilled[0]]);
    } else if (homes.length > 0 && homes.length <= 3) {
      say(key, `${key} belongs to ${homes.map((home) => formatPath(home) || "the top level").join(" or ")}`);
    } else {
      say(key, `known keys: ${known.join(", ")}`);
    }
  }
}

function wrongValue(path: Path, value: unknown, expected: string): string {
  const name = path.length === 0 ? "the file" : formatPath(path);
  if (value === null) return `${name} is empty, expected ${expected}`;
  return `${name} is ${shown(value)}, expected ${expected}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    return "a section";
  const text = withoutCredentials(String(value));
  return text === "" ? '""' : text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "number" ? step : String(step)));
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, step)) return undefined;
    return Reflect.get(inner, step);
  }, value);
}
