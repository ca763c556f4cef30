import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "../support/secret.ts";
import { type Talosctl, talosctl, withScratch } from "./talosctl.ts";

/**
 * New secrets for a castle: certificate authorities, tokens and keys, as the YAML that `talosctl gen secrets` writes.
 * Whoever has them is the castle's master: keep them in the secret store.
 * @param version the Talos version whose contract they follow, with the leading v
 * @throws CastleError talos/render-failed, command/…
 */
export async function generateSecrets(tool: Talosctl, version: string): Promise<Secret> {
  return await withScratch(tool, async (folder) => {
    const path = join(folder, "secrets.yaml");
    await talosctl(tool, ["gen", "secrets", "--talos-version", version, "--output-file", path]);
    return new Secret(await readFile(path, "utf8"));
  });
}
