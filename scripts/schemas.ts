import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { COMMANDS_PAGE, renderCommandsPage } from "../src/cli/commands-page.ts";
import { documentKinds, renderDocumentSchema, schemaFile } from "../src/cli/document-schemas.ts";
import { renderJsonSchema, SCHEMA_FILE } from "../src/spec/json-schema.ts";

// Regenerates what editors and scripts read of castle; unit tests fail while a file lags behind its source.
const files = new Map([
  [SCHEMA_FILE, renderJsonSchema()],
  ...documentKinds.map((kind) => [schemaFile(kind), renderDocumentSchema(kind)] as const),
  [COMMANDS_PAGE, renderCommandsPage()],
]);

for (const [file, content] of files) {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
