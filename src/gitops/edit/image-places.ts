import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  type Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import type { ImagePlace, PlaceRule, Span } from "./image-place.ts";
import { referenceParts } from "./reference-parts.ts";
import { aliasedAnchors, anchorOf, documentRule, valueOf, type YamlText } from "./yaml-text.ts";

/**
 * Every place of a file that names an image: a field `image` of whatever object, the entries `images` of a
 * Kustomization (Flux' own too), and `image: { repository, tag }` as Helm's values have it.
 */
export function imagePlaces(file: YamlText): readonly ImagePlace[] {
  const found = file.documents.flatMap((document) =>
    new Finder(file, document, documentRule(file, document)).places(),
  );
  const broken = file.documents.find(({ errors }) => errors.length > 0);
  if (broken === undefined || found.length > 0) return found;
  return roughPlaces(file, documentRule(file, broken));
}

class Finder {
  readonly #file: YamlText;
  readonly #document: Document.Parsed;
  readonly #rule: PlaceRule | undefined;
  readonly #aliased: ReadonlySet<string>;
  readonly #object: Pick<ImagePlace, "object">;

  constructor(file: YamlText, document: Document.Parsed, rule: PlaceRule | undefined) {
    this.#file = file;
    this.#document = document;
    this.#rule = rule;
    this.#aliased = aliasedAnchors(document);
    this.#object = objectOf(document);
  }

  places(): readonly ImagePlace[] {
    const found: ImagePlace[] = [];
    visit(this.#document, {
      Pair: (_key, pair, ancestors) => {
        const key = isScalar(pair.key) ? String(pair.key.value) : "";
        const around = this.#around([...ancestors, pair]);
        if (/^(?:.*I|i)mage$/.test(key)) found.push(...this.#atImage(pair, around));
        else if (key === "images") found.push(...this.#atImages(pair, around));
      },
    });
    return found;
  }

  /** The rule that what lies around a place sets: written through an anchor, it would change elsewhere as well. */
  #around(ancestors: readonly unknown[]): PlaceRule | undefined {
    const shared = ancestors.some((node) =>
      this.#aliased.has(anchorOf(isPair(node) ? node.value : node) ?? ""),
    );
    return this.#rule ?? (shared ? "anchor" : undefined);
  }

  #atImage(pair: Pair, around: PlaceRule | undefined): ImagePlace[] {
    const value = valueOf(this.#document, pair.value);
    const rule = around ?? (isAlias(pair.value) ? "alias" : undefined);
    if (isMap(value)) return this.#atValues(value, rule);
    if (!isScalar(value) || !isImageKey(pair)) return [];
    const text = written(value);
    if (text === undefined || text === "") return [];
    return [this.#place("field", pair, { ...referenceParts(text), scalars: [["reference", value]], rule })];
  }

  #atImages(pair: Pair, around: PlaceRule | undefined): ImagePlace[] {
    const list = valueOf(this.#document, pair.value);
    if (!isSeq(list)) return [];
    return list.items.flatMap((item) => {
      const entry = valueOf(this.#document, item);
      if (!isMap(entry)) return [];
      const name = this.#text(entry, "newName") ?? this.#text(entry, "name");
      const rule = around ?? (isAlias(item) ? "alias" : undefined);
      return name === undefined ? [] : this.#tagged("kustomize", entry, { name, tagKey: "newTag", rule });
    });
  }

  #atValues(map: YAMLMap, rule: PlaceRule | undefined): ImagePlace[] {
    const repository = this.#text(map, "repository");
    if (repository === undefined) return [];
    const registry = this.#text(map, "registry");
    const name = registry === undefined || registry === "" ? repository : `${registry}/${repository}`;
    return this.#tagged("values", map, { name, tagKey: "tag", rule });
  }

  /** A place whose tag and digest are fields of their own; one that has neither says nothing about a release. */
  #tagged(
    kind: "kustomize" | "values",
    map: YAMLMap,
    {
      name,
      tagKey,
      rule,
    }: { readonly name: string; readonly tagKey: string; readonly rule: PlaceRule | undefined },
  ): ImagePlace[] {
    const [tagPair, digestPair] = [pairOf(map, tagKey), pairOf(map, "digest")];
    const [tag, digest] = [this.#scalar(tagPair), this.#scalar(digestPair)];
    const first = tag === undefined ? digestPair : tagPair;
    if (first === undefined || (tag === undefined && digest === undefined)) return [];
    const aliased = isAlias(tagPair?.value) || isAlias(digestPair?.value) ? ("alias" as const) : undefined;
    return [
      this.#place(kind, first, {
        name,
        ...shownParts(tag, digest),
        scalars: [
          ...(tag === undefined ? [] : [[digest === undefined ? "tag-and-digest" : "tag", tag] as const]),
          ...(digest === undefined ? [] : [["digest", digest] as const]),
        ],
        rule: rule ?? aliased,
      }),
    ];
  }

  #place(kind: ImagePlace["kind"], pair: Pair, seen: Seen): ImagePlace {
    const { scalars, rule, ...parts } = seen;
    const spans = scalars.map(([holds, scalar]) => spanOf(this.#file.text, holds, scalar));
    const found = rule ?? scalars.map(([, scalar]) => scalarRule(scalar)).find((one) => one !== undefined);
    const template = [parts.name, parts.tag, parts.digest].some(
      (part) => part !== undefined && TEMPLATE.test(part),
    );
    const why =
      found ?? (template ? "template" : undefined) ?? (spans.includes(undefined) ? "multi-line" : undefined);
    const start = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    return {
      file: this.#file.path,
      line: this.#file.lines.linePos(start).line,
      kind,
      ...parts,
      ...this.#object,
      spans: spans.filter((span) => span !== undefined),
      ...(why === undefined ? {} : { rule: why }),
    };
  }

  #text(map: YAMLMap, key: string): string | undefined {
    const scalar = this.#scalar(pairOf(map, key));
    return scalar === undefined ? undefined : written(scalar);
  }

  /** The scalar behind a pair; a key with nothing behind it has no bytes that could be replaced. */
  #scalar(pair: Pair | undefined): Scalar | undefined {
    const value = valueOf(this.#document, pair?.value);
    return isScalar(value) && value.value !== null ? value : undefined;
  }
}

/** A tag alone carries the digest behind it: a key more would be more than a scalar's bytes. */
function shownParts(tag: Scalar | undefined, digest: Scalar | undefined): Pick<ImagePlace, "tag" | "digest"> {
  const tagText = tag === undefined ? "" : (written(tag) ?? "");
  const digestText = digest === undefined ? "" : (written(digest) ?? "");
  if (digest === undefined) {
    const { name: _none, ...parts } = referenceParts(`x:${tagText}`);
    return parts;
  }
  return {
    ...(tagText === "" ? {} : { tag: tagText }),
    ...(digestText === "" ? {} : { digest: digestText }),
  };
}

interface Seen {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly scalars: readonly (readonly [Span["holds"], Scalar])[];
  readonly rule: PlaceRule | undefined;
}

/** Helm, Jinja, Flux' substitution, ERB: what stands there is not what the cluster gets. */
const TEMPLATE = /\{\{|\$\{|\$\(|\{%|<%/;

function isImageKey({ key }: Pair): boolean {
  return isScalar(key) && key.value === "image";
}

function pairOf(map: YAMLMap, wanted: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === wanted);
}

/** As its author wrote it: 1234567 and 12e4 are tags here, not numbers. */
function written({ value, source }: Scalar): string | undefined {
  if (typeof value === "string") return value.trimEnd();
  return value === null ? undefined : source;
}

function scalarRule({ anchor, tag }: Scalar): PlaceRule | undefined {
  if (anchor !== undefined) return "anchor";
  return tag === undefined || tag === "tag:yaml.org,2002:str" ? undefined : "tagged";
}

/** Undefined: the scalar goes over more than one line. */
function spanOf(text: string, holds: Span["holds"], { type, range }: Scalar): Span | undefined {
  const [start, end] = range ?? [0, 0];
  if (type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE") return { holds, start: start + 1, end: end - 1 };
  if (type !== "BLOCK_FOLDED" && type !== "BLOCK_LITERAL") return { holds, start, end };
  const head = text.indexOf("\n", start) + 1;
  const lines = [...text.slice(head, end).matchAll(/[^\s].*[^\s]|[^\s]/g)];
  const [line] = lines;
  if (line === undefined || lines.length > 1) return undefined;
  return { holds, start: head + line.index, end: head + line.index + line[0].length };
}

function objectOf(document: Document.Parsed): Pick<ImagePlace, "object"> {
  const text = (...path: string[]) => {
    const value: unknown = document.errors.length > 0 ? undefined : document.getIn(path);
    return typeof value === "string" ? value : undefined;
  };
  const [kind, name, namespace] = [text("kind"), text("metadata", "name"), text("metadata", "namespace")];
  if (kind === undefined || name === undefined) return {};
  return { object: { kind, name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** What a text that is no YAML seems to say: enough to tell which rule keeps castle from writing there. */
function roughPlaces({ path, text, lines }: YamlText, rule: PlaceRule = "not-yaml"): ImagePlace[] {
  return [...text.matchAll(/\bimage:[ \t]*["']?([^\s"'#]+)/g)].map((match) => ({
    file: path,
    line: lines.linePos(match.index).line,
    kind: "field",
    ...referenceParts(match[1] ?? ""),
    spans: [],
    rule,
  }));
}
