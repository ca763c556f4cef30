import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { documentKinds, renderDocumentSchema, schemaFile } from "./document-schemas.ts";

const order = (left: string, right: string) => (left < right ? -1 : 1);
const root = new URL("../../", import.meta.url);

test.each(documentKinds)("the schema of kind %s is fresh; `npm run schemas` renews it", (kind) => {
  expect(readFileSync(new URL(schemaFile(kind), root), "utf8")).toBe(renderDocumentSchema(kind));
});

test("there are no schemas of kinds that are gone", () => {
  const files = readdirSync(new URL("docs/schemas/output", root));
  expect(files.toSorted(order)).toEqual(
    documentKinds.map((kind) => schemaFile(kind).split("/").at(-1) ?? "").toSorted(order),
  );
});
