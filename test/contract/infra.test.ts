import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Castle } from "../../src/spec/castle.ts";
import { preflight } from "../../src/infra/preflight.ts";
import { ProxmoxClient } from "../../src/infra/proxmox-client.ts";
import { Secret } from "../../src/support/secret.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { testCastle } from "./infra-castle.ts";
import { type Rack, startRack } from "./infra-hypervisor.ts";

const provider = await partOrSkip("terraform-provider-proxmox");
const castle = testCastle();
const ids = castle.nodes.map((node) => node.vmid);

/** The real terraform and the real provider, driven as `castle up` and `castle down` drive them. */
describe.skipIf(provider === undefined)("infra against the hypervisor", () => {
  let rack: Rack;

  beforeEach(async () => {
    rack = await startRack(provider ?? "");
  });

  afterEach(async () => {
    await rack.lab.remove();
  });

  const existing = () => [...rack.lab.driver.machines.keys()].sort((a, b) => a - b);
  const starts = () => [...rack.lab.driver.machines.values()].map((machine) => machine.starts);

  async function raise(wanted: Castle = castle): Promise<void> {
    const terraform = rack.terraform(wanted);
    const plan = await terraform.plan();
    expect(plan.creates).toHaveLength(wanted.nodes.length + 3);
    await terraform.apply();
  }

  it("creates five machines, and a second plan is clean", async () => {
    await raise();
    expect(existing()).toEqual(ids);
    expect(rack.lab.driver.machines.get(8101)?.config).toMatchObject({
      name: "fortress-cp-1",
      cores: 2,
      memory: 4096,
      image: "v1.11.5",
      nameservers: ["192.168.1.1"],
      cards: [{ mac: "BC:24:11:00:00:01", address: "192.168.1.211/24", gateway: "192.168.1.1" }],
    });
    expect(await rack.terraform(castle).plan()).toMatchObject({ clean: true });
    const finished = rack.events.filter((event) => event.type === "finished").map((event) => event.id);
    expect(finished).toContain("infra-create-fortress-worker-2");
  });

  it("writes no token and leaves nothing readable to others", async () => {
    await raise();
    const secret = rack.connection.token.reveal().split("=")[1] ?? "";
    const entries = await readdir(rack.directory, { withFileTypes: true });
    for (const file of entries.filter((entry) => entry.isFile())) {
      expect(await readFile(join(rack.directory, file.name), "latin1")).not.toContain(secret);
    }
    expect((await stat(join(rack.directory, "terraform.tfstate"))).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(rack.events)).not.toContain(secret);
    expect((await stat(rack.directory)).mode & 0o777).toBe(0o700);
  });

  it("finds the same machines again when its state is lost, and touches none", async () => {
    await raise();
    await rm(rack.directory, { recursive: true });
    const terraform = rack.terraform(castle);
    const plan = await terraform.plan();
    expect(plan).toMatchObject({ creates: [], replaces: [], destroys: [] });
    expect(plan.adopts).toHaveLength(8);
    expect(plan.updates.filter(({ restarts }) => restarts)).toEqual([]);
    await terraform.apply();
    expect(await terraform.plan()).toMatchObject({ clean: true });
    expect(starts()).toEqual([1, 1, 1, 1, 1]);
  });

  it("waits for no guest agent, and adopts machines with one and with a VLAN as quietly", async () => {
    const talos = { ...castle.talos, extensions: ["siderolabs/qemu-guest-agent"] };
    const rich = { ...castle, talos, network: { ...castle.network, vlan: 42 } };
    await raise(rich);
    expect(await rack.terraform(rich).plan()).toMatchObject({ clean: true });
    await rm(rack.directory, { recursive: true });
    const terraform = rack.terraform(rich);
    const plan = await terraform.plan();
    expect(plan.updates.filter(({ restarts }) => restarts)).toEqual([]);
    await terraform.apply();
    expect(await terraform.plan()).toMatchObject({ clean: true });
    expect(starts()).toEqual([1, 1, 1, 1, 1]);
  });

  it("updates in place, and says which change restarts the machine", async () => {
    await raise();
    const nodes = castle.nodes.map((node) => (node.vmid === 8104 ? { ...node, memory: 9216 } : node));
    const terraform = rack.terraform({ ...castle, nodes });
    const plan = await terraform.plan();
    expect(plan.updates).toMatchObject([
      { title: "machine fortress-worker-1", attributes: ["memory"], restarts: true },
    ]);
    await terraform.apply();
    expect(rack.lab.driver.machines.get(8104)?.config?.memory).toBe(9216);
    expect(await terraform.plan()).toMatchObject({ clean: true });
  });

  it("plans for one machine alone", async () => {
    await raise();
    const nodes = castle.nodes.map((node) => ({ ...node, memory: node.memory + 1024 }));
    const targets = ["proxmox_virtual_environment_vm.fortress-cp-2"];
    const plan = await rack.terraform({ ...castle, nodes }).plan({ targets });
    expect(plan.updates.map(({ title }) => title)).toEqual(["machine fortress-cp-2"]);
  });

  it("leaves machines alone when the Talos version changes", async () => {
    await raise();
    const newer = { ...castle, talos: { ...castle.talos, version: "v1.11.6" } };
    const terraform = rack.terraform(newer);
    const plan = await terraform.plan();
    expect(plan.refusal).toBeUndefined();
    expect([...plan.updates, ...plan.replaces].filter(({ machine }) => machine !== undefined)).toEqual([]);
    await terraform.apply();
    expect(starts()).toEqual([1, 1, 1, 1, 1]);
    expect(await terraform.plan()).toMatchObject({ clean: true });
  });

  it("refuses to recreate or to drop a control plane", async () => {
    await raise();
    const moved = castle.nodes.map((node) => (node.vmid === 8101 ? { ...node, vmid: 8199 } : node));
    const recreate = rack.terraform({ ...castle, nodes: moved });
    expect((await recreate.plan()).refusal).toContain("replace fortress-cp-1 (");
    await expect(recreate.apply()).rejects.toMatchObject({ code: "infra/plan-refused" });
    const dropped = rack.terraform({ ...castle, nodes: castle.nodes.slice(1) });
    expect((await dropped.plan()).refusal).toContain("destroy fortress-cp-1");
    expect(existing()).toEqual(ids);
  });

  it("lets a worker go", async () => {
    await raise();
    const terraform = rack.terraform({ ...castle, nodes: castle.nodes.slice(0, 4) });
    expect((await terraform.plan()).destroys.map(({ title }) => title)).toEqual([
      "machine fortress-worker-2",
    ]);
    await terraform.apply();
    expect(existing()).toEqual(ids.slice(0, 4));
  });

  it("destroys all that is its own", async () => {
    await raise();
    expect(await rack.terraform(castle).destroy()).toHaveLength(5);
    expect(existing()).toEqual([]);
    const client = new ProxmoxClient(rack.connection);
    expect(await client.images("pve1", "local")).toEqual([]);
    await client.close();
    expect(await rack.terraform(castle).destroy()).toEqual([]);
  });

  it("destroys what only the tag still tells of, named in castle.yaml or not", async () => {
    await raise();
    await rm(rack.directory, { recursive: true });
    await rack.terraform({ ...castle, nodes: castle.nodes.slice(0, 3) }).destroy();
    expect(existing()).toEqual([]);
  });

  it("adopts under the right names after a destroy that was cut off", async () => {
    await raise();
    await rm(rack.directory, { recursive: true });
    const controller = new AbortController();
    const watch = waitFor(() =>
      rack.events.some((event) => event.type === "started" && event.id.includes("taken-")),
    );
    const destroyed = rack.terraform(castle).destroy(controller.signal);
    await watch;
    controller.abort();
    await expect(destroyed).rejects.toMatchObject({ code: "command/interrupted" });
    const terraform = rack.terraform(castle);
    expect((await terraform.plan()).refusal).toBeUndefined();
    await terraform.apply();
    expect(await terraform.plan()).toMatchObject({ clean: true });
    expect(existing()).toEqual(ids);
  });

  it("deletes nothing if one machine has lost the tag", async () => {
    await raise();
    await rack.lab.call("PUT", "nodes/pve2/qemu/8102/config", { tags: "somebody-else" });
    const destroyed = rack.terraform(castle).destroy();
    await expect(destroyed).rejects.toThrow(/VM 8102 \(fortress-cp-2\) on pve2 does not carry the tag/);
    await expect(destroyed).rejects.toMatchObject({ code: "infra/foreign-machine" });
    expect(existing()).toEqual(ids);
  });

  it("does not take a VM id from another machine", async () => {
    await rack.lab.call("POST", "nodes/pve1/qemu", { vmid: 8101, name: "mail" });
    await waitFor(() => rack.lab.driver.machines.has(8101));
    const client = new ProxmoxClient(rack.connection);
    const faults = await preflight(castle, rack.connection, { client });
    await client.close();
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toContain("VM id 8101 is held by VM 8101 (mail) on pve1");
    const terraform = rack.terraform(castle);
    await terraform.plan();
    await expect(terraform.apply()).rejects.toMatchObject({ code: "infra/vm-id-taken" });
    expect(rack.lab.driver.machines.get(8101)?.starts).toBe(0);
  });

  it("names a wrong token as such, from the client and from the provider", async () => {
    await raise();
    const wrong = { ...rack.connection, token: new Secret("castle@pve!lab=not-the-token") };
    await expect(rack.terraform(castle, wrong).plan()).rejects.toMatchObject({
      code: "infra/token-rejected",
    });
    const client = new ProxmoxClient(wrong);
    await expect(client.version()).rejects.toMatchObject({ code: "infra/token-rejected" });
    await client.close();
  });

  it("names an endpoint that does not answer, and a certificate that nobody vouches for", async () => {
    const nobody = { ...rack.connection, endpoint: "https://127.0.0.1:9" };
    await expect(rack.terraform(castle, nobody).plan()).rejects.toMatchObject({
      code: "infra/endpoint-unreachable",
    });
    const strict = { ...rack.connection, trust: { kind: "system" } as const };
    await expect(rack.terraform(castle, strict).plan()).rejects.toMatchObject({
      code: "infra/certificate-untrusted",
    });
  });

  it.each([
    ["terraform and provider", 3],
    ["terraform and provider", 6],
    ["terraform and provider", 8],
    ["terraform alone", 7],
  ] as const)("converges after %s were killed when %d resources had been begun", async (victims, enough) => {
    const first = rack.terraform(castle);
    await first.plan();
    const seen = () => rack.events.filter((event) => event.type === "started").length;
    const applied = first.apply().then(
      () => "finished",
      () => "failed",
    );
    await waitFor(() => seen() >= enough);
    await killTerraform(rack.directory, victims);
    expect(await applied).toBe("failed");
    const second = rack.terraform(castle);
    expect((await second.plan()).refusal).toBeUndefined();
    await second.apply();
    expect(existing()).toEqual(ids);
    expect([...rack.lab.driver.machines.values()].map(({ power }) => power)).toEqual(
      ids.map(() => "running"),
    );
    expect(await second.plan()).toMatchObject({ clean: true });
  });

  it("converges after an interrupt, and keeps what was made", async () => {
    const controller = new AbortController();
    const first = rack.terraform(castle);
    await first.plan();
    const applied = first.apply(controller.signal);
    await Promise.all([
      expect(applied).rejects.toMatchObject({ code: "command/interrupted" }),
      waitFor(() => rack.lab.driver.machines.size > 0).then(() => controller.abort()),
    ]);
    const second = rack.terraform(castle);
    const plan = await second.plan();
    expect(plan).toMatchObject({ replaces: [], destroys: [] });
    await second.apply();
    expect(existing()).toEqual(ids);
    expect(await second.plan()).toMatchObject({ clean: true });
  });

  it("is not held up by the lock file of a dead process", async () => {
    await raise();
    const lock = join(rack.directory, ".terraform.tfstate.lock.info");
    await writeFile(lock, JSON.stringify({ ID: "dead", Operation: "OperationTypeApply", Who: "nobody" }));
    await writeFile(join(rack.directory, "terraform.pid"), "999999\n");
    expect(await rack.terraform(castle).plan()).toMatchObject({ clean: true });
    await expect(stat(lock)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe.skipIf(provider === undefined)("preflight against the hypervisor", () => {
  it("finds nothing to say of a hypervisor that is ready", async () => {
    const rack = await startRack(provider ?? "");
    const client = new ProxmoxClient(rack.connection);
    expect(await preflight(castle, rack.connection, { client })).toEqual([]);
    await client.close();
    await rack.lab.remove();
  });

  it("finds every fault at once", async () => {
    const rack = await startRack(provider ?? "", {
      hosts: ["pve1", "pve2"],
      storages: [{ name: "local", type: "dir", content: ["iso"] }],
      bridges: ["vmbr7"],
      privileges: ["Sys.Audit", "Datastore.Audit", "VM.Audit"],
    });
    const client = new ProxmoxClient(rack.connection);
    const faults = await preflight(castle, rack.connection, { client });
    await client.close();
    await rack.lab.remove();
    const text = faults.map(({ message, hint }) => `${message}\n${hint}`).join("\n");
    expect(text).toContain("there is no Proxmox node pve3, found pve1, pve2");
    expect(text).toContain("VM.PowerMgmt");
    expect(text).toContain("pveum acl modify /vms");
    expect(text).toContain("there is no storage local-lvm on pve1");
    expect(text).toContain("pvesm set local --content iso,import");
    expect(text).toContain("there is no bridge vmbr0 on pve2, found vmbr7");
  });
});

/** SIGKILL to terraform, or to its provider as well, as a crash of the machine would end them. */
async function killTerraform(
  directory: string,
  victims: "terraform and provider" | "terraform alone",
): Promise<void> {
  const pid = Number.parseInt(await readFile(join(directory, "terraform.pid"), "utf8"), 10);
  process.kill(victims === "terraform alone" ? pid : -pid, "SIGKILL");
}

async function waitFor(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("the condition did not come about in 30 s");
    await delay(10);
  }
}
