import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Castle, CastleNode } from "../spec/castle.ts";
import { Secret } from "../support/secret.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import type { Ground } from "./ground.ts";
import { patches } from "./patches.ts";
import { type Talosctl, talosctl, withScratch } from "./talosctl.ts";

/** What goes into the configurations and must be the same each time. */
export interface ConfigSecrets {
  /** As `talosctl gen secrets` wrote it. */
  readonly bundle: Secret;
  /** Opens disks that are encrypted with a static key. */
  readonly diskKey?: Secret;
}

export interface CastleConfigs {
  /** Machine configurations by node name, in the castle's order. */
  readonly nodes: ReadonlyMap<string, Secret>;
  /** With a client certificate of its own at every call, and without targets: see `aimTalosconfig`. */
  readonly talosconfig: Secret;
}

/**
 * The machine configurations of all nodes: generated once by `talosctl gen config` with the castle's version contract,
 * then patched node by node, all at once. The same castle, ground and secrets give the same bytes.
 * @throws CastleError talos/render-failed, command/…
 */
export async function renderConfigs(
  tool: Talosctl,
  castle: Castle,
  ground: Ground,
  { bundle, diskKey }: ConfigSecrets,
): Promise<CastleConfigs> {
  return await withScratch(tool, async (folder) => {
    await writeFile(join(folder, "secrets.yaml"), bundle.reveal(), { mode: 0o600 });
    await talosctl(tool, [
      "gen",
      "config",
      castle.name,
      `https://${castle.network.vip}:6443`,
      `--with-secrets=${join(folder, "secrets.yaml")}`,
      `--output=${join(folder, "roles")}`,
      `--talos-version=${castle.talos.version}`,
      `--kubernetes-version=${castle.kubernetes.version.replace(/^v/, "")}`,
      "--with-docs=false",
      "--with-examples=false",
    ]);
    const rendered = await Promise.all(
      castle.nodes.map(
        async (node) =>
          [node.name, await renderNode({ tool, castle, ground, folder, diskKey }, node)] as const,
      ),
    );
    return {
      nodes: new Map(rendered),
      talosconfig: new Secret(await readFile(join(folder, "roles", "talosconfig"), "utf8")),
    };
  });
}

/** Writes the configurations as NODE.yaml and talosconfig, mode 0600. */
export async function writeConfigs(folder: string, { nodes, talosconfig }: CastleConfigs): Promise<void> {
  const files: (readonly [string, Secret])[] = [["talosconfig", talosconfig]];
  for (const [name, config] of nodes) files.push([`${name}.yaml`, config]);
  await Promise.all(
    files.map(async ([name, text]) => await writeFileAtomic(join(folder, name), text.reveal())),
  );
}

interface Rendering {
  readonly tool: Talosctl;
  readonly castle: Castle;
  readonly ground: Ground;
  readonly folder: string;
  readonly diskKey: Secret | undefined;
}

/** Patches go by file: a user's may hold a secret, and arguments are for everyone to read. */
async function renderNode(
  { tool, castle, ground, folder, diskKey }: Rendering,
  node: CastleNode,
): Promise<Secret> {
  const files = await Promise.all(
    patches(castle, node, ground, diskKey).map(async (patch, index) => {
      const path = join(folder, `${node.name}.patch-${index}.yaml`);
      await writeFile(path, stringify(patch), { mode: 0o600 });
      return path;
    }),
  );
  const role = join(folder, "roles", `${node.role}.yaml`);
  const args = files.flatMap((path) => ["--patch", `@${path}`]);
  return new Secret(`${await talosctl(tool, ["machineconfig", "patch", role, ...args])}\n`);
}
