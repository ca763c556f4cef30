import { describe, expect, it } from "vitest";
import { newRecord, type VolumeRecord } from "../inventory/record.ts";
import { linkUp, machineConfig } from "./machine-config.ts";

const disk: VolumeRecord = {
  host: "pve1",
  volid: "local:100/vm-100-disk-0.raw",
  content: "images",
  format: "raw",
  size: 1,
  talos: "v1.11.5",
  vmid: 100,
  created: 0,
};

function vm(options: Readonly<Record<string, string>>) {
  return { ...newRecord(100, "pve1"), options: { scsi0: `${disk.volid},size=20G`, ...options } };
}

describe("the machine that a configuration describes", () => {
  it("has the cards in the order of their numbers, each with the address of its own number", () => {
    const config = machineConfig(
      vm({
        net10: "virtio=BC:24:11:00:00:10,bridge=vmbr0",
        net2: "virtio=BC:24:11:00:00:02,bridge=vmbr1",
        ipconfig10: "ip=10.0.0.10/24",
        net0: "virtio=BC:24:11:00:00:00,bridge=vmbr0",
        ipconfig0: "ip=10.0.0.2/24,gw=10.0.0.1",
      }),
      [disk],
    );
    expect(config.cards).toEqual([
      { mac: "BC:24:11:00:00:00", bridge: "vmbr0", address: "10.0.0.2/24", gateway: "10.0.0.1" },
      { mac: "BC:24:11:00:00:02", bridge: "vmbr1" },
      { mac: "BC:24:11:00:00:10", bridge: "vmbr0", address: "10.0.0.10/24" },
    ]);
  });

  it("counts the cores of all sockets, and has Proxmox' defaults for what is not told", () => {
    expect(machineConfig(vm({ cores: "4", sockets: "2" }), [disk])).toMatchObject({ cores: 8, memory: 512 });
    expect(machineConfig(vm({}), [disk])).toMatchObject({
      cores: 1,
      name: "VM100",
      cards: [],
      nameservers: [],
    });
  });

  it("boots the first disk in boot order that holds an image", () => {
    const other = { ...disk, volid: "local:100/vm-100-disk-1.raw", talos: "v1.10.0" };
    const options = { scsi1: other.volid };
    expect(machineConfig(vm({ ...options, boot: "order=scsi1;scsi0" }), [disk, other]).image).toBe("v1.10.0");
    expect(machineConfig(vm({ ...options, boot: "order=ide2;scsi0" }), [disk, other]).image).toBe("v1.11.5");
  });

  it("does not boot from the disk of another host, or from one outside of the boot order", () => {
    expect(() => machineConfig(vm({}), [{ ...disk, host: "pve2" }])).toThrow("no bootable disk");
    expect(() => machineConfig(vm({ boot: "order=net0" }), [disk])).toThrow("no bootable disk");
  });

  it("is off the network only when every cable is out", () => {
    const net = "virtio=BC:24:11:00:00:01,bridge=vmbr0";
    expect(linkUp(vm({ net0: `${net},link_down=1` }))).toBe(false);
    expect(linkUp(vm({ net0: `${net},link_down=1`, net1: net }))).toBe(true);
    expect(linkUp(vm({}))).toBe(true);
  });
});
