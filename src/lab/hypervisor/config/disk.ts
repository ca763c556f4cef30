import { type Properties, formatProperties, parseProperties } from "./property-string.ts";
import { GIBIBYTE, formatSize } from "./size.ts";

/** What a client asks of a disk's slot (scsi0, virtio0, ide2 …). */
export type DiskRequest =
  | {
      readonly kind: "new";
      readonly storage: string;
      /** Bytes; 0 where the imported image tells. */
      readonly size: number;
      /** Volume that the content comes from. */
      readonly importFrom?: string;
      readonly options: Properties;
    }
  | { readonly kind: "volume"; readonly volume: string; readonly options: Properties }
  | { readonly kind: "cdrom"; readonly volume: string; readonly options: Properties }
  | { readonly kind: "cloud-init"; readonly storage: string };

const SLOT = /^(ide[0-3]|sata[0-5]|scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])|efidisk0|tpmstate0)$/;

export function isDiskSlot(key: string): boolean {
  return SLOT.test(key);
}

/** @throws RangeError with what is wrong. */
export function parseDisk(text: string): DiskRequest {
  const properties = new Map(parseProperties(text, "file"));
  const file = properties.get("file");
  if (file === undefined || file === "") throw new RangeError("the disk's file is missing");
  const importFrom = properties.get("import-from");
  for (const key of ["file", "import-from", "size"]) properties.delete(key);
  if (file === "none" || file === "cdrom") return { kind: "cdrom", volume: "none", options: properties };
  const [storage = "", name = ""] = splitOnce(file);
  if (storage === "" || name === "") throw new RangeError(`'${file}' is not of the form storage:volume`);
  if (name === "cloudinit") return { kind: "cloud-init", storage };
  if (/^\d+(\.\d+)?$/.test(name)) {
    const size = Math.round(Number(name) * GIBIBYTE);
    return {
      kind: "new",
      storage,
      size,
      ...(importFrom === undefined ? {} : { importFrom }),
      options: properties,
    };
  }
  const kind = properties.get("media") === "cdrom" ? "cdrom" : "volume";
  return { kind, volume: file, options: properties };
}

/** The form in which the configuration shows a disk; `size` in bytes, left out for a CD drive. */
export function formatDisk(volume: string, options: Properties, size?: number): string {
  const shown = new Map([["file", volume], ...options]);
  if (size !== undefined) shown.set("size", formatSize(size));
  return formatProperties(shown, "file");
}

function splitOnce(file: string): readonly string[] {
  const at = file.indexOf(":");
  return at < 0 ? [file] : [file.slice(0, at), file.slice(at + 1)];
}
