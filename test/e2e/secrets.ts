import { readFile, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { CastleCommand } from "./castle-command.ts";

/** Keys under which Talos' configurations, kubeconfigs and the lab's settings hold what nobody else may read. */
const SECRET = /^(?:key|token|secret|secretboxEncryptionSecret|aescbcEncryptionSecret|client-key-data)$/;
const ENOUGH = 12;

/** Every secret string of a raised castle: out of its nodes' configurations, its credentials and its lab's token. */
export async function secretsOf(castle: CastleCommand): Promise<readonly string[]> {
  const talos = join(castle.home, "talos");
  const files = [
    ...(await readdir(talos)).map((name) => join(talos, name)),
    join(castle.home, "kubeconfig"),
    join(castle.home, "talosconfig"),
  ];
  const found = new Set<string>();
  for (const file of files) collect(parse(await readFile(file, "utf8")), found);
  const settings = z.object({ token: z.object({ secret: z.string() }) });
  found.add(settings.parse(JSON.parse(await readFile(castle.labs.settings, "utf8"))).token.secret);
  const identity = await readFile(join(castle.folder, "config/castle/identity"), "utf8");
  for (const key of identity.match(/AGE-SECRET-KEY-\S+/g) ?? []) found.add(key);
  return [...found];
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === "string" && SECRET.test(name) && inner.length >= ENOUGH) found.add(inner);
    collect(inner, found);
  }
}

export interface Exposure {
  readonly file: string;
  readonly mode: string;
}

/** Files below a folder that hold a secret and that others than their owner may reach. */
export async function exposed(folder: string, secrets: readonly string[]): Promise<readonly Exposure[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Exposure[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    // A machine's disks are its own; what counts is that nobody gets into the folder above them.
    const text = await readFile(file, "latin1").catch(() => "");
    if (!holds(text, secrets)) continue;
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0 && !(await locked(file, folder))) {
      found.push({ file, mode: (mode & 0o777).toString(8) });
    }
  }
  return found;
}

export function holds(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret));
}

/** Whether a machine's disk lies behind a folder below `root` that only its owner may enter. */
async function locked(file: string, root: string): Promise<boolean> {
  if (!file.includes("/machines/")) return false;
  for (let folder = dirname(file); folder.startsWith(root) && folder !== root; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o077) === 0) return true;
  }
  return false;
}
