import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { protectState, readState } from "./state-file.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "castle-state-"));
});
afterEach(() => rm(directory, { recursive: true }));

function write(content: string): Promise<void> {
  return writeFile(join(directory, "terraform.tfstate"), content, { mode: 0o644 });
}

function resource(type: string, name: string, instance: object): object {
  return { mode: "managed", type, name, instances: [instance] };
}

describe("readState", () => {
  it("takes no file for no resources", async () => {
    expect(await readState(directory)).toEqual([]);
  });

  it("reads machines, images and the mark of a half-made one", async () => {
    const machine = { id: "101", vm_id: 101, node_name: "pve1", name: "cp-1" };
    const image = { id: "local:import/talos.raw", node_name: "pve1" };
    const resources = [
      resource("proxmox_virtual_environment_vm", "cp-1", { status: "tainted", attributes: machine }),
      resource("proxmox_download_file", "talos-pve1", { attributes: image }),
    ];
    await write(JSON.stringify({ version: 4, resources }));
    expect(await readState(directory)).toEqual([
      {
        address: "proxmox_virtual_environment_vm.cp-1",
        tainted: true,
        id: "101",
        machine: { vmid: 101, host: "pve1", name: "cp-1" },
      },
      {
        address: "proxmox_download_file.talos-pve1",
        tainted: false,
        id: "local:import/talos.raw",
        image: "pve1/local:import/talos.raw",
      },
    ]);
  });

  it("says what to do with a damaged file", async () => {
    await write('{"version": 4, "resour');
    await expect(readState(directory)).rejects.toMatchObject({ code: "infra/state-unreadable" });
  });
});

describe("protectState", () => {
  it("takes the state away from other users", async () => {
    await write("{}");
    await protectState(directory);
    expect((await stat(join(directory, "terraform.tfstate"))).mode & 0o777).toBe(0o600);
  });
});
