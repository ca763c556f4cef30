import { type Document, type ErrorCode, isAlias, isMap, isNode, isPair, isScalar, isSeq } from "yaml";
import { LineCounter, type Node, parseDocument, visit, type YAMLError, type YAMLMap } from "yaml";
import type { Path } from "./fault.ts";

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A fault of the YAML itself. `path` where a key is written twice: what lies below it cannot be judged. */
interface YamlFault extends Place {
  readonly message: string;
  readonly hint?: string;
  readonly path?: Path;
}

/** A castle.yaml as plain data, and where each part of it is written. */
export interface SpecDocument {
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** The value at this path, or the key of the nearest ancestor that exists. */
  readonly place: (path: Path, part?: "value" | "key") => Place;
}

interface Explanation {
  /** What the reader of castle.yaml needs to know; the parser's own words where it is missing. */
  readonly says?: string;
  readonly hint: string;
}

const explanations: Partial<Record<ErrorCode, Explanation>> = {
  TAB_AS_INDENT: { hint: "indent with spaces" },
  BAD_INDENT: { hint: "indent the line as its neighbours are, with spaces" },
  MULTIPLE_DOCS: { says: "a second document begins here", hint: "keep one castle in one file" },
  MISSING_CHAR: { hint: "close the quote or the bracket that is open here" },
  BLOCK_AS_IMPLICIT_KEY: {
    says: "a value holds a colon and a space",
    hint: "put quotes around the value",
  },
  MULTILINE_IMPLICIT_KEY: {
    says: "this line stands where the value before it would go on",
    hint: "indent the line as its neighbours are, with spaces; a key ends with a colon",
  },
  UNEXPECTED_TOKEN: { hint: "put quotes around a value that begins with a special character" },
  BAD_SCALAR_START: { hint: "put quotes around the value" },
};

/** Never throws: what is no YAML comes back as faults, and `value` is then undefined. */
export function readDocument(text: string): SpecDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const place = (path: Path, part: "value" | "key" = "value") => at(offsetOf(document, path, part));

  // After one fault of the syntax the rest of the tree is a guess, so that its other faults say nothing.
  const syntax = document.errors.find((error) => error.code !== "DUPLICATE_KEY");
  const unknownTag = document.warnings.find((warning) => warning.code === "TAG_RESOLVE_FAILED");
  const broken = syntax === undefined ? unknownTag : (overrun(syntax, document.errors) ?? syntax);
  if (broken !== undefined) {
    const { says, hint } = explanations[broken.code] ?? {};
    const message = `the YAML cannot be read: ${says ?? sentence(broken.message)}`;
    const offset = broken.code === "MULTILINE_IMPLICIT_KEY" ? nextLine(text, broken.pos[0]) : broken.pos[0];
    return { value: undefined, faults: [{ ...at(offset), message, ...(hint && { hint }) }], place };
  }
  const alias = brokenAlias(document);
  if (alias !== undefined) {
    const { name, offset } = alias;
    const message = `the alias *${name} names no anchor that is complete before it`;
    return { value: undefined, faults: [{ ...at(offset), message }], place };
  }
  const faults = duplicates(document).map(({ key, path, first, again }): YamlFault => {
    const message = `the key ${key} is written twice, first in line ${at(first).line}`;
    return { ...at(again), message, hint: "keep one of the two", path };
  });
  return { value: document.toJS({ maxAliasCount: 100 }), faults, place };
}

/** A line that is indented too far is first told as a colon in the value above it. */
function overrun(first: YAMLError, errors: readonly YAMLError[]): YAMLError | undefined {
  if (first.code !== "BLOCK_AS_IMPLICIT_KEY") return undefined;
  return errors.find((error) => error.code === "MULTILINE_IMPLICIT_KEY" && error.pos[0] === first.pos[0]);
}

/** The first character of the line below. */
function nextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? offset : end + 1 + (/^[ \t]*/.exec(text.slice(end + 1))?.[0].length ?? 0);
}

function sentence(message: string): string {
  const first = message.split("\n")[0] ?? message;
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`.replace(/[.:]$/, "");
}

interface Duplicate {
  readonly key: string;
  readonly path: Path;
  readonly first: number;
  readonly again: number;
}

function duplicates(document: Document): Duplicate[] {
  const found: Duplicate[] = [];
  const walk = (node: unknown, path: Path): void => {
    if (isSeq(node)) node.items.forEach((item, index) => walk(item, [...path, index]));
    if (!isMap(node)) return;
    const seen = new Map<string, number>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const name = String(key.value);
      const offset = key.range?.[0] ?? 0;
      const first = seen.get(name);
      if (first === undefined) seen.set(name, offset);
      else found.push({ key: name, path: [...path, name], first, again: offset });
      walk(value, [...path, name]);
    }
  };
  walk(document.contents, []);
  return found;
}

/** An alias without an anchor, or one inside of its own anchor: a value that has no end. */
function brokenAlias(document: Document): { name: string; offset: number } | undefined {
  let broken: { name: string; offset: number } | undefined;
  visit(document, {
    Alias(_key, alias) {
      const offset = alias.range?.[0] ?? 0;
      const target = alias.resolve(document);
      if (target === undefined || (target.range?.[1] ?? 0) > offset) {
        broken = { name: alias.source, offset };
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return broken;
}

function offsetOf(document: Document, path: Path, part: "value" | "key"): number {
  let node: Node | null = document.contents;
  let key = node?.range?.[0] ?? 0;
  for (const step of path) {
    const child = childOf(isAlias(node) ? node.resolve(document) : node, step);
    if (child === undefined) return key;
    ({ key, node } = child);
  }
  // An empty value has no place of its own: its key is where people look.
  const empty = isScalar(node) && node.range?.[0] === node.range?.[1];
  return part === "key" || empty ? key : (node?.range?.[0] ?? key);
}

interface Child {
  /** Where the key is written, or the item where it has none. */
  readonly key: number;
  readonly node: Node | null;
}

function childOf(node: Node | null | undefined, step: string | number): Child | undefined {
  const pair = isMap(node) ? pairOf(node, String(step)) : undefined;
  if (pair !== undefined && isNode(pair.key)) {
    return { key: pair.key.range?.[0] ?? 0, node: isNode(pair.value) ? pair.value : null };
  }
  const item: unknown = isSeq(node) && typeof step === "number" ? node.items[step] : undefined;
  return isNode(item) ? { key: item.range?.[0] ?? 0, node: item } : undefined;
}

/** The last of the pairs with this key: it is the one that counts. */
function pairOf(map: YAMLMap, key: string) {
  return map.items.findLast((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === key);
}
