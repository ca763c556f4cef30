import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cardSettings } from "./hypervisor/castle-machines.ts";
import { TestLab, record } from "./hypervisor/lab.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { TerraformWorkspace } from "./hypervisor/terraform.ts";

const provider = await partOrSkip("terraform-provider-proxmox");

/** The ways to a machine that a castle's own configuration does not take. */
describe.skipIf(provider === undefined)(
  "terraform with bpg/proxmox: templates, clones, ISO, more disks",
  () => {
    let lab: TestLab;
    let workspace: TerraformWorkspace;

    beforeAll(async () => {
      lab = await TestLab.start();
      workspace = await TerraformWorkspace.create(provider ?? "");
      await workspace.configure(templateAndClone(lab.hypervisor.endpoint));
      const init = await terraform("init", "-input=false");
      if (init.exitCode !== 0) throw new Error(init.output);
    });

    afterAll(async () => {
      await workspace.remove();
      await lab.remove();
    });

    const terraform = (...args: string[]) => workspace.run(args, lab.token);
    const config = async (vmid: number) =>
      record((await lab.call("GET", `nodes/pve1/qemu/${vmid}/config`)).data);

    it("makes a template and a machine cloned from it, and then has nothing to change", async () => {
      const applied = await terraform("apply", "-auto-approve", "-input=false");
      expect(applied.output).toContain("Apply complete!");
      expect(await config(900)).toMatchObject({ template: 1 });
      expect(await config(901)).toMatchObject({
        scsi0: expect.stringContaining("vm-901-disk-0.raw"),
        scsi1: expect.stringContaining("size=5G"),
      });
      expect(lab.driver.machines.get(901)).toMatchObject({
        power: "running",
        config: { image: "v1.11.5", cards: [{ mac: "BC:24:11:00:09:01", address: "192.168.1.91/24" }] },
      });
      const plan = await terraform("plan", "-detailed-exitcode", "-input=false");
      expect(plan.output).toContain("No changes.");
      expect(plan.exitCode).toBe(0);
    });

    it("destroys them", async () => {
      expect(await terraform("destroy", "-auto-approve", "-input=false")).toMatchObject({ exitCode: 0 });
      expect(lab.driver.machines.size).toBe(0);
    });
  },
);

function templateAndClone(endpoint: string): object {
  const common = {
    node_name: "pve1",
    scsi_hardware: "virtio-scsi-single",
    operating_system: [{ type: "l26" }],
    cpu: [{ cores: 2, type: "x86-64-v2-AES" }],
    memory: [{ dedicated: 2048 }],
  };
  return {
    terraform: { required_providers: { proxmox: { source: "bpg/proxmox", version: "0.111.1" } } },
    provider: { proxmox: { endpoint, insecure: true } },
    resource: {
      proxmox_download_file: {
        iso: {
          node_name: "pve1",
          datastore_id: "local",
          content_type: "iso",
          file_name: "talos-v1.11.5.iso",
          url: "https://factory.talos.dev/image/0/v1.11.5/metal-amd64.iso",
        },
      },
      proxmox_virtual_environment_vm: {
        template: {
          ...common,
          vm_id: 900,
          name: "talos-template",
          template: true,
          started: false,
          boot_order: ["scsi0", "ide3"],
          cdrom: [{ file_id: "${proxmox_download_file.iso.id}", interface: "ide3" }],
          disk: [{ interface: "scsi0", datastore_id: "local-lvm", size: 10 }],
          network_device: [cardSettings("BC:24:11:00:09:00")],
        },
        clone: {
          ...common,
          vm_id: 901,
          name: "cloned-worker",
          stop_on_destroy: true,
          clone: [{ vm_id: "${proxmox_virtual_environment_vm.template.vm_id}", full: true }],
          boot_order: ["scsi0", "ide3"],
          cdrom: [{ file_id: "${proxmox_download_file.iso.id}", interface: "ide3" }],
          disk: [
            { interface: "scsi0", datastore_id: "local-lvm", size: 20 },
            { interface: "scsi1", datastore_id: "local", size: 5 },
          ],
          network_device: [cardSettings("BC:24:11:00:09:01")],
          initialization: [
            {
              datastore_id: "local-lvm",
              ip_config: [{ ipv4: [{ address: "192.168.1.91/24", gateway: "192.168.1.1" }] }],
            },
          ],
        },
      },
    },
  };
}
