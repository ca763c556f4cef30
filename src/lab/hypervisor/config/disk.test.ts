import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDisk, isDiskSlot, parseDisk } from "./disk.ts";

const GIB = 1024 ** 3;

describe("disks", () => {
  it("reads a new disk that is imported from an image", () => {
    expect(
      parseDisk("file=local-lvm:0,discard=on,import-from=local:import/talos.raw,size=21474836480"),
    ).toEqual({
      kind: "new",
      storage: "local-lvm",
      size: 0,
      importFrom: "local:import/talos.raw",
      options: new Map([["discard", "on"]]),
    });
  });

  it("reads a blank disk, a CD, an empty drive, a cloud-init drive", () => {
    expect(parseDisk("local:20")).toMatchObject({ kind: "new", storage: "local", size: 20 * GIB });
    expect(parseDisk("file=local:iso/talos.iso,media=cdrom,")).toMatchObject({
      kind: "cdrom",
      volume: "local:iso/talos.iso",
    });
    expect(parseDisk("none,media=cdrom")).toMatchObject({ kind: "cdrom", volume: "none" });
    expect(parseDisk("file=local-lvm:cloudinit")).toEqual({ kind: "cloud-init", storage: "local-lvm" });
  });

  it("reads what it shows of a disk that is there", () => {
    const options = fc.uniqueArray(
      fc.tuple(fc.constantFrom("aio", "discard", "iothread", "ssd"), fc.constantFrom("on", "1", "io_uring")),
      { selector: ([name]) => name },
    );
    fc.assert(
      fc.property(fc.nat(999_999), fc.nat(9), options, (vmid, index, pairs) => {
        const volume = `local:${vmid}/vm-${vmid}-disk-${index}.raw`;
        const shown = formatDisk(volume, new Map(pairs), 20 * GIB);
        expect(parseDisk(shown)).toEqual({ kind: "volume", volume, options: new Map(pairs) });
      }),
    );
  });

  it.each(["", "size=20G", "local", ":20", "local:"])("refuses %j", (text) => {
    expect(() => parseDisk(text)).toThrow(RangeError);
  });

  it("knows the slots of each bus", () => {
    const slots = ["ide3", "sata5", "scsi30", "virtio15", "efidisk0"];
    const others = ["ide4", "sata6", "scsi31", "virtio16", "scsihw", "scsi", "net0"];
    expect(slots.filter(isDiskSlot)).toEqual(slots);
    expect(others.filter(isDiskSlot)).toEqual([]);
  });
});
