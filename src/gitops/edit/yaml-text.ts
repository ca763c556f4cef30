import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from "yaml";

/** One file of the repository, read for positions: offsets count in `text`, never in a text made anew. */
export interface YamlText {
  readonly path: string;
  readonly text: string;
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

/** Why a document's images may be seen and not written. */
export type DocumentRule = "duplicate-key" | "not-yaml" | "sops" | "template";

/** Undefined where the bytes are no UTF-8: nothing in there can be spliced. */
export function parseYamlText(path: string, bytes: Uint8Array): YamlText | undefined {
  const text = decode(bytes);
  if (text === undefined) return undefined;
  const lines = new LineCounter();
  // Keys that stand twice are told as a rule of their own, with the documents around them still read.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    logLevel: "silent",
    prettyErrors: false,
    uniqueKeys: false,
  });
  return { path, text, documents: [...parsed], lines };
}

export function documentRule({ text }: YamlText, document: Document.Parsed): DocumentRule | undefined {
  if (document.errors.length > 0) return /\{\{|\{%|<%/.test(text) ? "template" : "not-yaml";
  if (isMap(document.contents) && isMap(document.contents.get("sops"))) return "sops";
  return hasDuplicateKey(document) ? "duplicate-key" : undefined;
}

/** The names of the anchors that an alias of this document asks for. */
export function aliasedAnchors(document: Document.Parsed): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, { Alias: (_key, { source }) => void names.add(source) });
  return names;
}

function hasDuplicateKey(document: Document.Parsed): boolean {
  let found = false;
  visit(document, {
    Map(_key, { items }) {
      const keys = items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : []));
      // A merge key may stand more than once.
      const own = keys.filter((key) => key !== "<<");
      found ||= new Set(own).size < own.length;
    },
  });
  return found;
}

/** An anchor's name; only these kinds of nodes have one. */
export function anchorOf(node: unknown): string | undefined {
  return isScalar(node) || isCollection(node) ? node.anchor : undefined;
}

/** What stands at a key, behind an alias too. */
export function valueOf(document: Document.Parsed, node: unknown): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isScalar(node) || isCollection(node) ? node : undefined;
}

/** A byte order mark stays a character of the text: taking it away would move every offset. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
