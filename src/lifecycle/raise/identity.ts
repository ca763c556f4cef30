import { randomBytes } from "node:crypto";
import type { CastleNode } from "../../spec/castle.ts";
import { Secret } from "../../support/secret.ts";
import { renderConfigs, type CastleConfigs, writeConfigs } from "../../talos/config.ts";
import { generateSecrets } from "../../talos/secrets.ts";
import { needsDiskKey } from "../../talos/volumes.ts";
import { type Credentials, readCredentials } from "../../talos/talosconfig.ts";
import type { CastleRun } from "../castle-run.ts";

/** Who the castle is: what its nodes are configured with, and what castle itself shows them. */
export interface CastleIdentity {
  readonly configs: CastleConfigs;
  readonly credentials: Credentials;
}

/** What a node of the castle is configured with. */
export function configOf(
  { configs }: Pick<CastleIdentity, "configs">,
  { name }: Pick<CastleNode, "name">,
): Secret {
  const config = configs.nodes.get(name);
  if (config === undefined) throw new Error(`no configuration was rendered for ${name}`);
  return config;
}

/** As much of a run as secrets and configurations need: rendering has no Terraform and no progress. */
export interface IdentityRun extends Pick<CastleRun, "castle" | "home" | "ground" | "store" | "signal"> {
  readonly programs: Pick<CastleRun["programs"], "talosctl">;
}

/**
 * The castle's secrets, from the store or, for a castle that has none yet, newly made and kept before anything is
 * made with them; and all machine configurations that follow from them.
 */
export async function ensureIdentity(run: IdentityRun): Promise<CastleIdentity> {
  const { castle, home, ground, store, programs, signal } = run;
  const tool = { path: programs.talosctl, folder: home.talos, signal };
  let bundle = await store.get("talos-secrets");
  if (bundle === undefined) {
    bundle = await generateSecrets(tool, castle.talos.version);
    await store.put({ "talos-secrets": bundle });
  }
  const secrets = needsDiskKey(castle, ground.nodes)
    ? { bundle, diskKey: await ensureDiskKey(run) }
    : { bundle };
  const configs = await renderConfigs(tool, castle, ground.nodes, secrets);
  await writeConfigs(home.talos, configs);
  return { configs, credentials: readCredentials(configs.talosconfig) };
}

/** Kept before any disk is encrypted with it; never made anew, because it would open none. */
async function ensureDiskKey({ store }: IdentityRun): Promise<Secret> {
  const kept = await store.get("disk-key");
  if (kept !== undefined) return kept;
  const made = new Secret(randomBytes(32).toString("base64url"));
  await store.put({ "disk-key": made });
  return made;
}
