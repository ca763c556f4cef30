import { lstat, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
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

/** Files of castle below a folder that hold a secret and that others than their owner may reach. */
export async function exposed(folder: string, secrets: readonly string[]): Promise<readonly Exposure[]> {
  const found: Exposure[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const { mode } = await lstat(path);
    const open = (mode & 0o077) !== 0;
    const shown = { file: path, mode: (mode & 0o777).toString(8) };
    if (entry.isDirectory() && entry.name === "machines") {
      // The machines' disks are their own affair; nobody else may get at them.
      if (open && ((await lstat(folder)).mode & 0o077) !== 0) found.push(shown);
    } else if (entry.isDirectory()) {
      found.push(...(await exposed(path, secrets)));
    } else if (entry.isFile() && open && holds(await readFile(path, "latin1"), secrets)) {
      found.push(shown);
    }
  }
  return found;
}

export function holds(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret));
}
