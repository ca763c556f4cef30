import type { VolumeRecord } from "../inventory/record.ts";
import { findVolume, freeDiskName, storageOf } from "../inventory/volumes.ts";
import type { StorageContent } from "../settings.ts";
import type { ChangeTarget, Configuration } from "./configuration.ts";
import { type DiskRequest, formatDisk, parseDisk } from "./disk.ts";

/**
 * Puts a disk into a slot: a new volume, one imported from an image, one that the machine already has, a CD.
 * @throws RangeError with what is wrong.
 */
export function changeDisk(
  before: Configuration,
  { slot, text }: { readonly slot: string; readonly text: string },
  target: ChangeTarget,
): Configuration {
  const request = parseDisk(text);
  const put = (value: string, volumes = before.volumes): Configuration => ({
    options: { ...before.options, [slot]: value },
    volumes,
  });
  switch (request.kind) {
    case "new": {
      const volume = newVolume(before, request, target);
      return put(formatDisk(volume.volid, request.options, volume.size), [...before.volumes, volume]);
    }
    case "volume": {
      const volume = findVolume(before.volumes, target.host, request.volume);
      if (volume === undefined || volume.vmid !== target.vmid) {
        throw new RangeError(`volume '${request.volume}' does not exist`);
      }
      return put(formatDisk(volume.volid, request.options, volume.size));
    }
    case "cdrom": {
      if (request.volume !== "none" && !isCd(before, request.volume, target)) {
        throw new RangeError(`volume '${request.volume}' does not exist`);
      }
      return put(formatDisk(request.volume, request.options));
    }
    case "cloud-init": {
      requireContent(target, request.storage, "images");
      return put(`${request.storage}:vm-${target.vmid}-cloudinit,media=cdrom`);
    }
    default:
      return request satisfies never;
  }
}

function newVolume(
  { volumes }: Configuration,
  request: Extract<DiskRequest, { readonly kind: "new" }>,
  target: ChangeTarget,
): VolumeRecord {
  const { host, vmid } = target;
  requireContent(target, request.storage, "images");
  const image = request.importFrom === undefined ? undefined : findVolume(volumes, host, request.importFrom);
  if (request.importFrom !== undefined && image === undefined) {
    throw new RangeError(`volume '${request.importFrom}' does not exist on node '${host}'`);
  }
  if (image !== undefined && image.content !== "import") {
    throw new RangeError(`volume '${image.volid}' has content type '${image.content}', import is expected`);
  }
  const size = request.size > 0 ? request.size : image?.size;
  if (size === undefined) throw new RangeError("a disk of 0 GiB needs an image to import from");
  return {
    host,
    volid: freeDiskName(
      volumes.filter((volume) => volume.host === host),
      request.storage,
      vmid,
    ),
    content: "images",
    format: "raw",
    size: Math.max(size, image?.size ?? 0),
    ...(image?.talos === undefined ? {} : { talos: image.talos }),
    vmid,
    created: Math.floor(Date.now() / 1000),
  };
}

/** An ISO image, or the cloud-init drive that the machine already has. */
function isCd({ volumes }: Configuration, volid: string, { host, vmid }: ChangeTarget): boolean {
  return (
    findVolume(volumes, host, volid)?.content === "iso" ||
    volid === `${storageOf(volid)}:vm-${vmid}-cloudinit`
  );
}

function requireContent({ settings }: ChangeTarget, name: string, content: StorageContent): void {
  const storage = settings.storages.find((candidate) => candidate.name === name);
  if (storage === undefined) throw new RangeError(`storage '${name}' does not exist`);
  if (!storage.content.includes(content)) {
    throw new RangeError(`storage '${name}' does not support content type '${content}'`);
  }
}
