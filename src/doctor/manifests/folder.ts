import { readFile, readdir, stat } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import type { Chart } from "../disease.ts";
import { heredocs } from "./heredoc.ts";
import { readYaml } from "./manifest.ts";

/** Never looked into: not the user's own words. */
const SKIPPED: ReadonlySet<string> = new Set([".git", ".terraform", ".castle", "node_modules"]);
/** Bytes; nobody writes longer manifests by hand. */
const LONGEST = 2_000_000;

/** All manifests and values of a file or folder: YAML as it stands, and YAML inside Terraform files and scripts. */
export async function readFolder(path: string): Promise<Chart> {
  const files = (await stat(path)).isDirectory() ? await filesOf(path) : [path];
  const charts = await Promise.all(files.map((file) => readChart(file, relative(path, file) || file)));
  return {
    manifests: charts.flatMap(({ manifests }) => manifests),
    others: charts.flatMap(({ others }) => others),
  };
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesOf(path);
        return entry.isFile() && readers.has(extname(entry.name)) ? [path] : [];
      }),
  );
  return found.flat();
}

async function readChart(file: string, name: string): Promise<Chart> {
  const read = readers.get(extname(file));
  if (read === undefined || (await stat(file)).size > LONGEST) return { manifests: [], others: [] };
  return read(await readFile(file, "utf8"), name);
}

const enclosed = (content: string, name: string): Chart => {
  const charts = heredocs(content).map(({ text, line }) => readYaml(text, name, line));
  return {
    manifests: charts.flatMap(({ manifests }) => manifests),
    others: charts.flatMap(({ others }) => others),
  };
};

const readers = new Map<string, (content: string, name: string) => Chart>([
  [".yaml", readYaml],
  [".yml", readYaml],
  [".tf", enclosed],
  [".sh", enclosed],
]);
