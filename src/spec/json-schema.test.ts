import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderJsonSchema, SCHEMA_FILE } from "./json-schema.ts";

test("the schema that editors read is fresh; `npm run schemas` renews it", () => {
  expect(readFileSync(new URL(`../../${SCHEMA_FILE}`, import.meta.url), "utf8")).toBe(renderJsonSchema());
});
