import type { Castle } from "../spec/castle.ts";
import { IMAGE_TYPE, imageKey, MACHINE_TYPE, machineKey } from "./address.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { talosImage } from "./image.ts";
import { sortedJson } from "./sorted-json.ts";
import { virtualMachine } from "./virtual-machine.ts";

/** Pinned: what the provider sends and reads back decides whether a second plan is clean. */
export const PROVIDER = { source: "bpg/proxmox", version: "0.111.1" } as const;

/** What of Terraform a castle needs; all that `terraform init` reads. */
export const REQUIREMENTS = {
  required_version: ">= 1.6.0",
  required_providers: { proxmox: PROVIDER },
} as const;

/**
 * The castle's machines as Terraform's JSON syntax, the content of main.tf.json. The same castle gives the same bytes.
 * It holds no secret: the token reaches the provider through PROXMOX_VE_API_TOKEN.
 */
export function render(castle: Castle, connection: ProxmoxConnection): string {
  const hosts = [...new Set(castle.nodes.map((node) => node.host))];
  return sortedJson({
    terraform: REQUIREMENTS,
    provider: {
      proxmox: { endpoint: connection.endpoint, insecure: connection.trust.kind === "insecure" },
    },
    resource: {
      [IMAGE_TYPE]: Object.fromEntries(
        hosts.map((host) => [imageKey(host), image(castle, host, connection)]),
      ),
      [MACHINE_TYPE]: Object.fromEntries(
        castle.nodes.map((node) => [machineKey(node.name), virtualMachine(castle, node, connection)]),
      ),
    },
  });
}

function image(castle: Castle, host: string, connection: ProxmoxConnection): Record<string, unknown> {
  const { url, fileName } = talosImage(castle);
  return {
    node_name: host,
    datastore_id: connection.imageDatastore,
    content_type: "import",
    url,
    file_name: fileName,
    decompression_algorithm: "gz",
    // The size in the store is that of the unpacked file and never equals the URL's: checking it would replace for ever.
    overwrite: false,
    // An adopted file does not know where it came from. Its name holds version and schematic, so a change of those
    // still replaces it.
    lifecycle: { ignore_changes: ["url", "decompression_algorithm"] },
  };
}
