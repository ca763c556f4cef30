import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Castle } from "../spec/castle.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { imageAddress, machineAddress } from "./address.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { imageVolume } from "./image.ts";
import { ownershipTag } from "./ownership.ts";
import type { Machine, ProxmoxClient } from "./proxmox-client.ts";
import { sortedJson } from "./sorted-json.ts";
import type { StateResource } from "./state-file.ts";

const FILE = "imports.tf.json";

/** An existing thing that carries the castle's mark and that Terraform's state does not know. */
export interface Orphan {
  readonly address: string;
  /** The import id that the provider understands. */
  readonly id: string;
  readonly title: string;
}

/**
 * Finds what a lost state, or a kill between creating and saving, left without an owner: machines by our tag and the
 * spec's VM id, images by their name, which holds the castle's.
 */
export async function findOrphans(
  castle: Castle,
  connection: ProxmoxConnection,
  { client, state, signal }: { client: ProxmoxClient; state: readonly StateResource[]; signal?: AbortSignal },
): Promise<readonly Orphan[]> {
  const known = new Set(state.map((resource) => resource.address));
  const hosts = [...new Set(castle.nodes.map((node) => node.host))].filter(
    (host) => !known.has(imageAddress(host)),
  );
  const nodes = castle.nodes.filter((node) => !known.has(machineAddress(node.name)));
  if (hosts.length === 0 && nodes.length === 0) return [];
  const volume = imageVolume(castle, connection.imageDatastore);
  const [machines, images] = await Promise.all([
    nodes.length === 0 ? [] : client.machines(signal),
    Promise.all(
      hosts.map(async (host) => {
        const volumes = await client.images(host, connection.imageDatastore, signal);
        return volumes.includes(volume) ? [host] : [];
      }),
    ),
  ]);
  const tag = ownershipTag(castle.name);
  const ours = new Map(machines.filter((machine) => machine.tags.includes(tag)).map((m) => [m.vmid, m]));
  return [
    ...images.flat().map((host) => ({
      address: imageAddress(host),
      id: `${host}/${volume}`,
      title: `Talos image on ${host}`,
    })),
    ...nodes.flatMap((node) => {
      const machine = ours.get(node.vmid);
      return machine === undefined ? [] : [orphan(node.name, machine)];
    }),
  ];
}

function orphan(node: string, machine: Machine): Orphan {
  return {
    address: machineAddress(node),
    id: `${machine.host}/${machine.vmid}`,
    title: `machine ${node} (VM ${machine.vmid} on ${machine.host})`,
  };
}

/** Import blocks beside main.tf.json; without orphans the file goes. */
export async function writeImports(directory: string, orphans: readonly Orphan[]): Promise<void> {
  const path = join(directory, FILE);
  if (orphans.length === 0) return await rm(path, { force: true });
  const blocks = orphans.map(({ address, id }) => ({ to: address, id }));
  await writeFileAtomic(path, sortedJson({ import: blocks }));
}
