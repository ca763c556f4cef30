import { writeFile } from "node:fs/promises";
import { renderJsonSchema, SCHEMA_FILE } from "../src/spec/json-schema.ts";

// Regenerates what editors read; a unit test fails while the file lags behind the schema.
await writeFile(new URL(`../${SCHEMA_FILE}`, import.meta.url), renderJsonSchema());
