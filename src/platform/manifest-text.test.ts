import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { manifestText } from "./manifest-text.ts";

const manifest = (data: unknown) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data });

it("is read back as it was, by a reader of YAML 1.1 as well", () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "on",
      "no",
      "y",
      "1:30",
      "0x1f",
      "012",
      "1e3",
      "~",
      "null",
      "2026-01-01",
      " a\n b\n",
      "- x",
    ),
    fc.integer(),
    fc.boolean(),
  );
  const data = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
    leaf,
  );
  fc.assert(
    fc.property(data, (data) => {
      const text = manifestText("header", [manifest(data)]);
      expect(parse(text).data).toEqual({ ...data });
      expect(parse(text, { version: "1.1" }).data).toEqual({ ...data });
    }),
  );
});

it("puts what a reader looks for first, and the rest in alphabetical order", () => {
  const text = manifestText("Header", [
    {
      spec: { b: 1, name: "m", a: 2 },
      metadata: { labels: {}, namespace: "s", name: "x" },
      kind: "K",
      apiVersion: "v",
    },
  ]);
  expect(text).toBe(
    "# Header\napiVersion: v\nkind: K\nmetadata:\n  name: x\n  namespace: s\n  labels: {}\nspec:\n  name: m\n  a: 2\n  b: 1\n",
  );
});

it("leaves out what is undefined, and keeps one object a document", () => {
  const text = manifestText("h", [manifest({ a: undefined, b: 1 }), manifest({})]);
  expect(parseAllDocuments(text).map((document) => document.toJS())).toEqual([
    manifest({ b: 1 }),
    manifest({}),
  ]);
});
