import type { Castle } from "../spec/castle.ts";
import { schematicId, TALOS_FACTORY } from "./schematic.ts";

/** The disk image that a castle's machines are made from. */
export interface TalosImage {
  readonly url: string;
  /** Named after the castle as well, so that taking one castle down never takes another one's image away. */
  readonly fileName: string;
}

export function talosImage(castle: Castle): TalosImage {
  const id = schematicId(castle.talos.extensions);
  const { version } = castle.talos;
  return {
    url: `${TALOS_FACTORY}/image/${id}/${version}/nocloud-amd64.raw.gz`,
    // .raw: Proxmox decides by the ending of the name whether a file may be imported, and it unpacks the .gz itself.
    fileName: `talos-${version}-${id.slice(0, 12)}-${castle.name}.raw`,
  };
}

/** The volume that Proxmox makes of the image. */
export function imageVolume(castle: Castle, imageDatastore: string): string {
  return `${imageDatastore}:import/${talosImage(castle).fileName}`;
}

/** Whether a volume is an image that this castle made, of whatever version. */
export function isImageOf(castle: string, volume: string): boolean {
  const match = /:import\/talos-v\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?-[0-9a-f]{12}-(.+)\.raw$/.exec(volume);
  return match?.[1] === castle;
}
