import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ConfigurationSettings,
  type MachineSettings,
  configuration,
} from "./hypervisor/castle-machines.ts";
import { TestLab, record } from "./hypervisor/lab.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { TerraformWorkspace } from "./hypervisor/terraform.ts";

const VMID = 211;
const provider = await partOrSkip("terraform-provider-proxmox");

/** The real terraform and the real provider; only what lies behind the driver is in memory. */
describe.skipIf(provider === undefined)("terraform with bpg/proxmox against the hypervisor", () => {
  let lab: TestLab;
  let workspace: TerraformWorkspace;

  beforeAll(async () => {
    lab = await TestLab.start();
    workspace = await TerraformWorkspace.create(provider ?? "");
    await configure({});
    const init = await terraform("init", "-input=false");
    if (init.exitCode !== 0) throw new Error(init.output);
  });

  afterAll(async () => {
    await workspace.remove();
    await lab.remove();
  });

  const terraform = (...args: string[]) => workspace.run(args, lab.token);
  const configure = (settings: Omit<ConfigurationSettings, "endpoint">) =>
    workspace.configure(configuration({ endpoint: lab.hypervisor.endpoint, ...settings }));
  const machine = () => lab.driver.machines.get(VMID);
  const config = async () => record((await lab.call("GET", `nodes/pve1/qemu/${VMID}/config`)).data);

  /** Applies, and sees that a second plan finds nothing to do. */
  async function apply(settings: MachineSettings = {}): Promise<void> {
    await configure({ machine: settings });
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    expect(applied.output).toContain("Apply complete!");
    const plan = await terraform("plan", "-detailed-exitcode", "-input=false");
    expect(plan.output).toContain("No changes.");
    expect(plan.exitCode).toBe(0);
  }

  it("refuses a wrong token, and makes nothing", async () => {
    const wrong = `${lab.settings.token.id}=wrong`;
    const applied = await workspace.run(["apply", "-auto-approve", "-input=false"], wrong);
    expect(applied.exitCode).toBe(1);
    expect(onOneLine(applied.output)).toContain("401 response - Reason: authentication failure");
    expect((await lab.call("GET", "nodes/pve1/storage/local/content")).data).toEqual([]);
  });

  it("creates a machine from an image, with what the configuration says and nothing else", async () => {
    await apply();
    expect(machine()).toMatchObject({ power: "running", starts: 1 });
    expect(machine()?.config).toEqual({
      vmid: VMID,
      name: "fortress-cp-1",
      cores: 2,
      memory: 2048,
      image: "v1.11.5",
      nameservers: ["192.168.1.1"],
      cards: [
        { mac: "BC:24:11:00:02:11", bridge: "vmbr0", address: "192.168.1.211/24", gateway: "192.168.1.1" },
      ],
    });
    expect(await config()).toMatchObject({ scsi0: expect.stringContaining("size=20G") });
  });

  it("changes name, tags and description of a running machine", async () => {
    await apply({ name: "renamed-cp-1", tags: ["castle", "other"], description: "first\nsecond line" });
    expect(machine()).toMatchObject({ power: "running", starts: 1 });
    expect(await config()).toMatchObject({
      name: "renamed-cp-1",
      tags: "castle;other",
      description: "first\nsecond line",
    });
  });

  it("grows a disk without a restart", async () => {
    await apply({ disk: 30 });
    expect(machine()).toMatchObject({ power: "running", starts: 1 });
    expect(await config()).toMatchObject({ scsi0: expect.stringContaining("size=30G") });
  });

  it("restarts the machine for cores and memory", async () => {
    await apply({ disk: 30, cores: 4, memory: 4096 });
    expect(machine()).toMatchObject({ power: "running", starts: 2 });
    expect(machine()?.config).toMatchObject({ cores: 4, memory: 4096 });
  });

  it("follows a changed address and MAC", async () => {
    await apply({ disk: 30, cores: 4, memory: 4096, address: "192.168.1.77", mac: "BC:24:11:AA:BB:CC" });
    expect(machine()?.config?.cards).toEqual([
      { mac: "BC:24:11:AA:BB:CC", bridge: "vmbr0", address: "192.168.1.77/24", gateway: "192.168.1.1" },
    ]);
  });

  it("answers an enabled guest agent from the machine's configuration", async () => {
    await apply({ disk: 30, agent: true });
    const state = await terraform("show", "-json");
    expect(state.output).toContain('"192.168.1.211"');
  });

  it("stops and starts the machine", async () => {
    await apply({ disk: 30, started: false });
    expect(machine()?.power).toBe("stopped");
    await apply({ disk: 30, started: true });
    expect(machine()?.power).toBe("running");
  });

  it("sees a crashed machine and starts it again", async () => {
    lab.driver.exit(VMID, { kind: "crashed", detail: "init ended with exit code 1" });
    await configure({ machine: { disk: 30 } });
    expect(await terraform("plan", "-detailed-exitcode", "-input=false")).toMatchObject({ exitCode: 2 });
    await apply({ disk: 30 });
    expect(machine()?.power).toBe("running");
  });

  it("shows why a machine does not start", async () => {
    await apply({ disk: 30, started: false });
    lab.driver.refusals.set("start", "no space left for the machine's disk");
    await configure({ machine: { disk: 30 } });
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    lab.driver.refusals.clear();
    expect(applied.exitCode).toBe(1);
    expect(applied.output).toContain("no space left for the machine's disk");
    expect(machine()?.power).toBe("stopped");
    await apply({ disk: 30 });
  });

  it("takes a machine over that its state has lost, without a restart", async () => {
    const starts = machine()?.starts;
    await terraform("state", "rm", "proxmox_virtual_environment_vm.cp1");
    const lost = configuration({ endpoint: lab.hypervisor.endpoint, machine: { disk: 30 } });
    const takeOver = { to: "proxmox_virtual_environment_vm.cp1", id: `pve1/${VMID}` };
    await workspace.configure({ ...lost, import: [takeOver] });
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    expect(applied.output).toContain("1 imported, 0 added");
    expect(applied.output).toContain("0 destroyed");
    await apply({ disk: 30 });
    expect(machine()).toMatchObject({ power: "running", starts });
  });

  it("destroys the machine and its image", async () => {
    expect(await terraform("destroy", "-auto-approve", "-input=false")).toMatchObject({ exitCode: 0 });
    expect(lab.driver.machines.size).toBe(0);
    expect((await lab.call("GET", "nodes/pve1/storage/local/content")).data).toEqual([]);
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toEqual([]);
  });

  it("leaves nothing of a machine that the driver cannot make", async () => {
    lab.driver.refusals.set("create", "no space left on device");
    await configure({});
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    lab.driver.refusals.clear();
    expect(applied.exitCode).toBe(1);
    expect(applied.output).toContain("no space left on device");
    expect((await lab.call("GET", "cluster/resources?type=vm")).data).toEqual([]);
    await apply();
    expect(await terraform("destroy", "-auto-approve", "-input=false")).toMatchObject({ exitCode: 0 });
  });

  it("refuses a Talos version that the lab has not got", async () => {
    await configure({ talos: "v1.12.0" });
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    expect(applied.exitCode).toBe(1);
    expect(onOneLine(applied.output)).toContain("Talos v1.12.0 is not in this lab, which has v1.11.5");
  });
});

/** Terraform wraps its messages and frames them. */
function onOneLine(output: string): string {
  return output.replaceAll(/[│\s]+/g, " ");
}
