import { access, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Castle } from "../spec/castle.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { PROVIDER, render } from "./render.ts";

/**
 * Writes what Terraform reads; mode 0700 of the folder guards what Terraform itself writes.
 * @returns the PEM file of the endpoint's certificate, where the connection names one
 */
export async function writeWorkspace(
  castle: Castle,
  connection: ProxmoxConnection,
  directory: string,
): Promise<string | undefined> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeIfChanged(join(directory, "main.tf.json"), render(castle, connection));
  if (connection.trust.kind !== "certificate") return undefined;
  const certificate = join(directory, "endpoint.pem");
  await writeIfChanged(certificate, connection.trust.pem);
  return certificate;
}

/**
 * Whether `terraform init` has already been done here with the pinned provider. Looking costs a millisecond, asking
 * Terraform several hundred; and if the look is wrong, the next command says so and init is run after all.
 */
export async function isInitialized(directory: string): Promise<boolean> {
  const lock = await readFile(join(directory, ".terraform.lock.hcl"), "utf8").catch(() => "");
  if (!lock.includes(`"${PROVIDER.version}"`)) return false;
  try {
    const providers = join(directory, ".terraform", "providers");
    for (const registry of await readdir(providers)) {
      const versions = join(providers, registry, PROVIDER.source, PROVIDER.version);
      const [platform] = await readdir(versions).catch(() => []);
      if (platform === undefined) continue;
      // Follows the link into a mirror or a plugin cache, which may be gone.
      await access(join(versions, platform));
      return true;
    }
    return false;
  } catch {
    return false;
  }
}

async function writeIfChanged(path: string, content: string): Promise<void> {
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before !== content) await writeFileAtomic(path, content);
}
