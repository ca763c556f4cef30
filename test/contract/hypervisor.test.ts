import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestLab, record } from "./hypervisor/lab.ts";
import { type MachineSettings, configuration } from "./hypervisor/castle-machines.ts";
import { providerBinary } from "./hypervisor/provider-binary.ts";
import { TerraformWorkspace } from "./hypervisor/terraform.ts";

const VMID = 211;
const provider = await providerBinary();

/** The real terraform and the real provider; only what lies behind the driver is in memory. */
describe.skipIf(provider === undefined)("terraform with bpg/proxmox against the hypervisor", () => {
  let lab: TestLab;
  let workspace: TerraformWorkspace;

  beforeAll(async () => {
    lab = await TestLab.start();
    workspace = await TerraformWorkspace.create(provider ?? "");
    await workspace.configure(configuration({ endpoint: lab.hypervisor.endpoint }));
    expect(await terraform("init", "-input=false")).toMatchObject({ exitCode: 0 });
  });

  afterAll(async () => {
    await workspace.remove();
    await lab.remove();
  });

  const terraform = (...args: string[]) => workspace.run(args, lab.token);

  async function apply(machine: MachineSettings = {}): Promise<string> {
    await workspace.configure(configuration({ endpoint: lab.hypervisor.endpoint, machine }));
    const applied = await terraform("apply", "-auto-approve", "-input=false");
    expect(applied.output).toContain("Apply complete!");
    const plan = await terraform("plan", "-detailed-exitcode", "-input=false");
    expect(plan, plan.output).toMatchObject({ exitCode: 0 });
    return applied.output;
  }

  const machine = () => lab.driver.machines.get(VMID);
  const config = async () => record((await lab.call("GET", `nodes/pve1/qemu/${VMID}/config`)).data);

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
});
