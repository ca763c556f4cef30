import { CastleError } from "../errors/castle-error.ts";
import { kubeconfigFromHere } from "../lifecycle/kubeconfig.ts";
import { talosconfigFromHere } from "../lifecycle/talosconfig.ts";
import { castleHome } from "../lifecycle/home.ts";
import type { SecretStore } from "../secrets/store.ts";
import type { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { Context } from "./context.ts";
import { secretStore } from "./secret-store.ts";
import { standingGround } from "./standing-ground.ts";
import type { SpecFile } from "./spec-file.ts";

export interface AccessRequest {
  readonly kind: "kubeconfig" | "talosconfig";
  /** With the castle network's own addresses. */
  readonly lan?: boolean;
  /** Several files from one store ask it once. */
  readonly store?: SecretStore;
}

export interface AccessFile {
  readonly path: string;
  readonly content: Secret;
}

/**
 * The credentials for people and tools: from the store, aimed at where the castle is reached from here, and written to
 * the castle's home (mode 0600). So a lost home, or another machine with the store, costs nothing.
 * @throws CastleError lifecycle/not-raised, lab/not-running
 */
export async function accessFile(
  context: Context,
  spec: SpecFile,
  { kind, lan = false, store = secretStore(context, spec) }: AccessRequest,
): Promise<AccessFile> {
  const { castle, folder } = spec;
  const [home, stored] = await Promise.all([castleHome(folder, castle.name), store.get(kind)]);
  if (stored === undefined) throw notRaised(castle.name, `${store.description} has no ${kind}`);
  const path = home[kind];
  if (lan) return { path, content: stored };
  const ground = await standingGround(context, castle);
  const content =
    kind === "kubeconfig"
      ? await kubeconfigFromHere({ ground }, stored)
      : await talosconfigFromHere(castle, ground, stored);
  await writeFileAtomic(path, content.reveal());
  return { path, content };
}

function notRaised(castle: string, why: string): CastleError {
  return new CastleError("lifecycle/not-raised", {
    message: `Castle ${castle} is not raised: ${why}`,
    hint: "castle up",
  });
}
