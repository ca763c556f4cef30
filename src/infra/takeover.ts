import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Castle } from "../spec/castle.ts";
import { writeFileAtomic } from "../support/write-file.ts";
import { IMAGE_TYPE, MACHINE_TYPE } from "./address.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { isImageOf, talosImage } from "./image.ts";
import { ownershipTag } from "./ownership.ts";
import type { ProxmoxClient } from "./proxmox-client.ts";
import { sortedJson } from "./sorted-json.ts";
import type { StateResource } from "./state-file.ts";

const FILE = "takeover.tf.json";
const PREFIX = "taken-";

/** Everything that the provider could want to change on a machine, except how it is destroyed. */
const MACHINE_ATTRIBUTES = [
  "acpi",
  "agent",
  "bios",
  "boot_order",
  "cdrom",
  "cpu",
  "description",
  "disk",
  "initialization",
  "keyboard_layout",
  "machine",
  "memory",
  "name",
  "network_device",
  "on_boot",
  "operating_system",
  "scsi_hardware",
  "serial_device",
  "started",
  "tablet_device",
  "tags",
];

/** Terraform deletes only what its state holds, and a destroy heeds no import blocks: this is how things get in there. */
export interface Takeover {
  readonly addresses: readonly string[];
  readonly resource: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly imports: readonly { readonly to: string; readonly id: string }[];
}

/**
 * All machines with the castle's tag and all images with its name that the state does not know, those included that
 * castle.yaml no longer names.
 */
export async function findTakeover(
  castle: Castle,
  connection: ProxmoxConnection,
  { client, state, signal }: { client: ProxmoxClient; state: readonly StateResource[]; signal?: AbortSignal },
): Promise<Takeover> {
  const known = new Set(state.map((resource) => resource.id));
  const tag = ownershipTag(castle.name);
  const [machines, images] = await Promise.all([
    client.machines(signal),
    Promise.all(
      connection.hosts.map(async (host) => {
        const volumes = await client.images(host, connection.imageDatastore, signal);
        return volumes.map((volid) => ({ host, volid, key: `${PREFIX}${host.replaceAll(".", "_")}` }));
      }),
    ),
  ]);
  const taken = machines.filter(({ tags, vmid }) => tags.includes(tag) && !known.has(String(vmid)));
  const knownImages = new Set(state.map(({ image }) => image));
  const left = images
    .flat()
    .filter(({ host, volid }) => isImageOf(castle.name, volid) && !knownImages.has(`${host}/${volid}`))
    .map((image, index) => ({ ...image, key: `${image.key}-${index}` }));
  const machineRows = taken.map(({ host, vmid }) => ({
    type: MACHINE_TYPE,
    key: `${PREFIX}${vmid}`,
    id: `${host}/${vmid}`,
    body: {
      node_name: host,
      vm_id: vmid,
      stop_on_destroy: true,
      lifecycle: { ignore_changes: MACHINE_ATTRIBUTES },
    },
  }));
  const imageRows = left.map(({ host, volid, key }) => ({
    type: IMAGE_TYPE,
    key,
    id: `${host}/${volid}`,
    body: {
      node_name: host,
      datastore_id: connection.imageDatastore,
      content_type: "import",
      file_name: volid.replace(/^.*\//, ""),
      url: talosImage(castle).url,
      overwrite: false,
      lifecycle: { ignore_changes: ["url", "decompression_algorithm"] },
    },
  }));
  const rows = [...machineRows, ...imageRows];
  return {
    addresses: rows.map(({ type, key }) => `${type}.${key}`),
    imports: rows.map(({ type, key, id }) => ({ to: `${type}.${key}`, id })),
    resource: {
      ...(machineRows.length === 0
        ? {}
        : { [MACHINE_TYPE]: Object.fromEntries(machineRows.map(({ key, body }) => [key, body])) }),
      ...(imageRows.length === 0
        ? {}
        : { [IMAGE_TYPE]: Object.fromEntries(imageRows.map(({ key, body }) => [key, body])) }),
    },
  };
}

export async function writeTakeover(directory: string, { resource, imports }: Takeover): Promise<void> {
  await writeFileAtomic(join(directory, FILE), sortedJson({ resource, import: imports }));
}

export async function removeTakeover(directory: string): Promise<void> {
  await rm(join(directory, FILE), { force: true });
}

/** Whether the resource came into the state by a takeover; of a `down` that was killed and followed by an `up`. */
export function isTaken({ address }: StateResource): boolean {
  return address.includes(`.${PREFIX}`);
}
