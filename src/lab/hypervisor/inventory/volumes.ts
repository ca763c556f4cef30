import type { VolumeRecord } from "./record.ts";

/** Bytes that an image of the lab is said to have: what a Talos disk image unpacks to, about. */
export const IMAGE_SIZE = 1280 * 1024 ** 2;

export function storageOf(volid: string): string {
  return volid.slice(0, volid.indexOf(":"));
}

export function findVolume(
  volumes: readonly VolumeRecord[],
  host: string,
  volid: string,
): VolumeRecord | undefined {
  return volumes.find((volume) => volume.host === host && volume.volid === volid);
}

/** The first free name `storage:ID/vm-ID-disk-N.raw`; the extension saves the provider a look at every read. */
export function freeDiskName(volumes: readonly VolumeRecord[], storage: string, vmid: number): string {
  const taken = new Set(volumes.map(({ volid }) => volid.slice(volid.indexOf(":") + 1)));
  for (let index = 0; ; index++) {
    const name = `${vmid}/vm-${vmid}-disk-${index}.raw`;
    if (!taken.has(name)) return `${storage}:${name}`;
  }
}
