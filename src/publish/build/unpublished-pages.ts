import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CastleError } from "../../errors/castle-error.ts";
import { exists } from "../../support/exists.ts";
import { listed } from "../source/source-fault.ts";

const switches = z.object({
  builddrafts: z.boolean().default(false),
  buildfuture: z.boolean().default(false),
  buildexpired: z.boolean().default(false),
});

/** Setting that lets such pages into the output, and what Hugo calls their list. */
const KINDS = [
  { setting: "builddrafts", list: "drafts", name: "a draft" },
  { setting: "buildfuture", list: "future", name: "of the future" },
  { setting: "buildexpired", list: "expired", name: "expired" },
] as const;

const SETTING = new RegExp(KINDS.map(({ setting }) => setting).join("|"), "i");

/**
 * Whether any file of the tree that can hold Hugo's settings names one of these: site, themes and modules all lie in it,
 * and of the environment Hugo sees none.
 */
export async function maySetUnpublished(tree: string): Promise<boolean> {
  const names = await readdir(tree, { recursive: true });
  for (const name of names.filter((path) => /\.(?:toml|ya?ml|json)$/i.test(path))) {
    const text = await readFile(join(tree, name), "utf8").catch((error: NodeJS.ErrnoException) => {
      // A folder of such a name; a link to nowhere.
      if (error.code === "EISDIR" || error.code === "ENOENT") return "";
      throw error;
    });
    if (SETTING.test(text)) return true;
  }
  return false;
}

/**
 * Refuses an output with pages that are not to be seen. They can only be there where the site's own configuration asks
 * for them, so Hugo's settings are looked at, and only then it is asked for its lists.
 * @param said what `hugo config` said, as JSON
 * @throws CastleError build/unpublished-page
 */
export async function refuseUnpublished(
  output: string,
  said: string,
  hugo: (...args: string[]) => Promise<string>,
): Promise<void> {
  const on = switches.parse(JSON.parse(said.slice(said.indexOf("{"))));
  for (const { setting, list, name } of KINDS) {
    if (!on[setting]) continue;
    const there: string[] = [];
    for (const { path, address } of parseList(await hugo("list", list))) {
      const file = address.endsWith("/") ? `${address}index.html` : address;
      if (await exists(join(output, file))) there.push(path);
    }
    if (there.length === 0) continue;
    throw new CastleError("build/unpublished-page", {
      message: `${listed(there)} would be published and ${there.length === 1 ? "is" : "are"} ${name}: the site's configuration sets ${setting}. Nothing was pushed, what is live stays live`,
      hint: `set ${setting} to false in the site's configuration, commit and push`,
      details: { paths: there, setting },
    });
  }
}

interface ListedPage {
  readonly path: string;
  /** The path of its address, decoded. */
  readonly address: string;
}

/** Hugo's CSV: path, slug, title, date, expiryDate, publishDate, draft, permalink, kind, section. */
export function parseList(text: string): ListedPage[] {
  const [head = [], ...rows] = parseCsv(text);
  const [path, permalink] = [head.indexOf("path"), head.indexOf("permalink")];
  return rows.flatMap((row) => {
    const address = row[permalink];
    if (address === undefined || address === "") return [];
    return [{ path: row[path] ?? "", address: decodeURIComponent(new URL(address, "http://site").pathname) }];
  });
}

/** Quoted fields hold commas, quotes doubled, and line feeds. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
