import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isPair, isScalar, isSeq, type Node, parseDocument } from "yaml";
import type { Pair, YAMLMap, YAMLSeq } from "yaml";
import { CastleError } from "../../errors/castle-error.ts";
import { formatPath } from "../fault.ts";

type Value = string | number | readonly string[];

/** What shall stand at a path of castle.yaml; undefined: nothing. */
export interface YamlChange {
  readonly path: readonly [string, ...string[]];
  readonly value: Value | undefined;
}

/** Replaces the characters from `start` to `end`. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text with these values in it: no byte changes that is not theirs, comments and the author's way of writing stay.
 * @throws CastleError spec/not-editable where a value is shared by an anchor, or written in a way that castle does not splice
 */
export function editYaml(text: string, changes: readonly YamlChange[]): string {
  const wanted = changes.reduce(
    (value, { path, value: put }) => withValue(value, path, put),
    parsed(text).toJS() as unknown,
  );
  let edited = text;
  for (const change of changes) {
    for (const { start, end, text: put } of splicesOf(edited, change).toSorted((a, b) => b.start - a.start)) {
      edited = edited.slice(0, start) + put + edited.slice(end);
    }
  }
  // The last guard, against an anchor that is used elsewhere and against a fault of castle's own.
  const after = parsed(edited);
  if (after.errors.length > 0 || !isDeepStrictEqual(after.toJS(), wanted)) throw notEditable(changes);
  return edited;
}

function parsed(text: string): Document.Parsed {
  return parseDocument(text, { prettyErrors: false });
}

function splicesOf(text: string, change: YamlChange): readonly Splice[] {
  const document = parsed(text);
  let node: Node | null = document.contents;
  for (const [depth, key] of change.path.entries()) {
    if (!isMap(node)) throw notEditable([change]);
    const pair = pairOf(node, key);
    const rest = change.path.slice(depth + 1);
    if (pair === undefined) {
      return change.value === undefined ? [] : [inserted(text, node, key, flowText(rest, change.value))];
    }
    if (rest.length > 0) {
      node = valueOf(pair);
      continue;
    }
    if (change.value === undefined) return [removed(text, node, pair)];
    return replaced(text, pair, change);
  }
  return [];
}

function replaced(text: string, pair: Pair, change: YamlChange): readonly Splice[] {
  const [value, wanted] = [valueOf(pair), change.value];
  if (typeof wanted === "object" && isSeq(value)) return listSplices(text, value, wanted, change);
  if (typeof wanted === "object" || wanted === undefined || !isScalar(value)) throw notEditable([change]);
  return [scalarSplice(value, String(wanted), change)];
}

function scalarSplice(node: unknown, wanted: string, change: YamlChange): Splice {
  if (!isScalar(node) || !node.range) throw notEditable([change]);
  const [start, end] = node.range;
  if (node.type === "PLAIN") return { start, end, text: wanted };
  if (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE") {
    return { start: start + 1, end: end - 1, text: wanted };
  }
  throw notEditable([change]);
}

/** Item by item, so that what stays keeps its bytes and its comment. */
function listSplices(
  text: string,
  list: YAMLSeq,
  wanted: readonly string[],
  change: YamlChange,
): readonly Splice[] {
  const { items } = list;
  const common = Math.min(items.length, wanted.length);
  const kept = items
    .slice(0, common)
    .flatMap((item, index) =>
      isScalar(item) && item.value === wanted[index] ? [] : [scalarSplice(item, wanted[index] ?? "", change)],
    );
  if (common === 0) throw notEditable([change]);
  const last = endOf(items[common - 1], change);
  if (items.length > common) {
    const end = endOf(items.at(-1), change);
    return [
      ...kept,
      {
        start: list.flow === true ? last : lineEnd(text, last),
        end: list.flow === true ? end : lineEnd(text, end),
        text: "",
      },
    ];
  }
  const more = wanted.slice(common);
  if (more.length === 0) return kept;
  if (list.flow === true)
    return [...kept, { start: last, end: last, text: more.map((item) => `, ${item}`).join("") }];
  const dash = text.slice(lineStart(text, startOf(items[0], change)), startOf(items[0], change));
  const at = lineEnd(text, last);
  return [
    ...kept,
    { start: at, end: at, text: more.map((item) => `${newline(text)}${dash}${item}`).join("") },
  ];
}

/** A key that is not there yet: behind the map's last one, written as the others are. */
function inserted(text: string, map: YAMLMap, key: string, value: string): Splice {
  const last = map.items.at(-1);
  if (map.flow === true) {
    if (last !== undefined) {
      const at = pairEnd(last);
      return { start: at, end: at, text: `, ${key}: ${value}` };
    }
    const open = (map.range?.[0] ?? 0) + 1;
    return { start: open, end: (map.range?.[1] ?? open + 1) - 1, text: ` ${key}: ${value} ` };
  }
  const first = map.items[0];
  if (last === undefined || first === undefined) throw notEditable([{ path: [key], value }]);
  const indent = " ".repeat(keyStart(first) - lineStart(text, keyStart(first)));
  const end = pairEnd(last);
  // A block scalar ends behind its own line.
  const at = text[end - 1] === "\n" ? end - (text[end - 2] === "\r" ? 2 : 1) : lineEnd(text, end);
  return { start: at, end: at, text: `${newline(text)}${indent}${key}: ${value}` };
}

/** With its line, or in a flow map with its comma. */
function removed(text: string, map: YAMLMap, pair: Pair): Splice {
  const index = map.items.indexOf(pair);
  if (map.flow !== true) {
    const start = lineStart(text, keyStart(pair));
    return {
      start,
      end: Math.min(text.length, lineEnd(text, pairEnd(pair)) + newline(text).length),
      text: "",
    };
  }
  const before = map.items[index - 1];
  if (before !== undefined) return { start: pairEnd(before), end: pairEnd(pair), text: "" };
  const after = map.items[index + 1];
  return { start: keyStart(pair), end: after === undefined ? pairEnd(pair) : keyStart(after), text: "" };
}

function flowText(rest: readonly string[], value: Value): string {
  const written = typeof value === "object" ? `[${value.join(", ")}]` : String(value);
  return rest.reduceRight((inner, key) => `{ ${key}: ${inner} }`, written);
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function valueOf({ value }: Pair): Node | null {
  return isMap(value) || isSeq(value) || isScalar(value) ? value : null;
}

function keyStart({ key }: Pair): number {
  return isScalar(key) ? (key.range?.[0] ?? 0) : 0;
}

/** Behind the pair's last character, without the comments and line breaks that a block's range takes in. */
function pairEnd(pair: Pair): number {
  const value = valueOf(pair);
  if ((isMap(value) || isSeq(value)) && value.flow !== true) {
    const last: unknown = value.items.at(-1);
    if (isPair(last)) return pairEnd(last);
    if (isScalar(last)) return last.range?.[1] ?? 0;
  }
  const end = value?.range?.[1];
  return end ?? (isScalar(pair.key) ? (pair.key.range?.[1] ?? 0) + 1 : 0);
}

function startOf(node: unknown, change: YamlChange): number {
  if (isScalar(node) && node.range) return node.range[0];
  throw notEditable([change]);
}

function endOf(node: unknown, change: YamlChange): number {
  if (isScalar(node) && node.range) return node.range[1];
  throw notEditable([change]);
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

/** Before the line break, and behind a comment. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  if (end === -1) return text.length;
  return text[end - 1] === "\r" ? end - 1 : end;
}

function newline(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function withValue(value: unknown, [key, ...rest]: readonly string[], put: Value | undefined): unknown {
  if (key === undefined) return put;
  const map = isRecord(value) ? value : {};
  if (rest.length === 0 && put === undefined) {
    return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
  }
  return { ...map, [key]: withValue(map[key], rest, put) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notEditable(changes: readonly YamlChange[]): CastleError {
  const lines = changes.map(({ path, value }) =>
    value === undefined
      ? `without ${formatPath(path)}`
      : `${formatPath(path)}: ${typeof value === "object" ? `[${value.join(", ")}]` : value}`,
  );
  return new CastleError("spec/not-editable", {
    message: `castle.yaml is written in a way that castle does not edit: an anchor, an alias or a value over several lines stands where this would go: ${lines.join("; ")}`,
    hint: "write it there by hand, and run the same command again",
    details: { changes: changes.map(({ path, value }) => ({ path, value: value ?? null })) },
  });
}
