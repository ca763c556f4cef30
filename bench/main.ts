/*
 * Measures castle, section by section. As root, on Linux, with the parts in place (castle parts build) and nothing else
 * at work: npm run bench -- [SECTION…] [--runs 5] [-o text|json]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { arch, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { partsCatalogue } from "../src/lab/parts/catalogue.ts";
import { PartsStore } from "../src/lab/parts/store.ts";
import { ending } from "./ending.ts";
import { benchOptions } from "./options.ts";
import { type Answer, document, table } from "./report.ts";
import { sections } from "./sections.ts";

const options = benchOptions(
  process.argv.slice(2),
  sections.map(({ name }) => name),
);
const installation = fileURLToPath(new URL("..", import.meta.url));
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const store = new PartsStore({
  root: process.env["CASTLE_PARTS"] ?? join(cache, "castle", "parts"),
  catalogue: partsCatalogue,
  modules: join(installation, "parts"),
  architecture: arch() === "arm64" ? "arm64" : "amd64",
});

const answers: Answer[] = [];
for (const section of sections) {
  if (options.sections.length > 0 && !options.sections.includes(section.name)) continue;
  const folder = await mkdtemp(join(tmpdir(), `castle-bench-${section.name}-`));
  const bench = {
    installation,
    store,
    folder,
    runs: options.runs,
    signal: interrupted.signal,
    tell: (line: string) => process.stderr.write(`${line}\n`),
  };
  const measured = await ending(
    () => section.measure(bench),
    () => rm(folder, { recursive: true, force: true }),
  );
  answers.push({ section, measured });
}
process.stdout.write(
  options.output === "json" ? `${JSON.stringify(document(answers), undefined, 2)}\n` : `${table(answers)}\n`,
);
