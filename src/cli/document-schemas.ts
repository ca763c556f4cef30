import { z } from "zod";
import { type DocumentKind, documentShape, documents } from "./documents.ts";

export const documentKinds = Object.keys(documents).filter((name): name is DocumentKind => name in documents);

/** Where a kind's JSON Schema lies, from the repository's root. */
export function schemaFile(kind: DocumentKind): string {
  const name = kind.replaceAll(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase();
  return `docs/schemas/output/${name}.schema.json`;
}

/** The JSON Schema of a kind; the same shapes give the same bytes. */
export function renderDocumentSchema(kind: DocumentKind): string {
  return `${JSON.stringify(z.toJSONSchema(documentShape(kind)), undefined, 2)}\n`;
}
