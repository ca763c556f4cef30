import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, describe, test } from "vitest";
import { z } from "zod";
import { identify } from "../../src/support/process-identity.ts";
import { lockHolder } from "../../src/support/process-lock.ts";
import { labFolders } from "../../src/lab/folders.ts";
import { census } from "../../src/lab/machine/census.ts";
import { FaultFolder } from "../fixtures/fault-folder.ts";
import { canRunLab, partsStore } from "../fixtures/parts.ts";

const LAB = "t-faults";
const SPEC = `castle: siege\nhypervisor: {lab: {name: ${LAB}}}\n`;
let here: FaultFolder;
let folder = "";
const told = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  here.told(args, { env });
beforeAll(async () => {
  here = await FaultFolder.make();
  folder = here.path;
  await writeFile(join(folder, "castle.yaml"), SPEC);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const portShape = z.object({ port: z.number() });
const descriptorShape = z.object({ api: z.object({ endpoint: z.string() }) });
const recordShape = z.object({ digest: z.string() });

async function writeSpec(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

function rack(endpoint: string): string {
  return [
    "castle: siege",
    `hypervisor: {proxmox: {endpoint: "${endpoint}", nodes: [pve1], insecure: true}}`,
    "network: {cidr: 192.168.1.0/24, gateway: 192.168.1.1, vip: 192.168.1.210}",
    "nodes: {controlPlanes: {count: 1, from: 192.168.1.211}, workers: {count: 1, from: 192.168.1.214}}",
    "",
  ].join("\n");
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = portShape.parse(server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("before anything is made", () => {
  test("a spec with faults, or none", async () => {
    await writeSpec("bad.yaml", "castle: siege\nhypervisor: lab\nnodes: {controlPlanes: {count: 2}}\n");
    expect(await told(["up", "-f", "bad.yaml"])).toMatchObject({ exit: 2, code: "spec/invalid" });
    expect(await told(["up", "-f", "none.yaml"])).toMatchObject({
      exit: 2,
      code: "spec/not-found",
      message: expect.stringContaining("none.yaml"),
      hint: expect.stringContaining("castle init"),
    });
  });

  test("a rack without a token, and one that does not answer", async () => {
    const file = await writeSpec("silent.yaml", rack(`https://127.0.0.1:${await closedPort()}`));
    expect(await told(["up", "-f", file], { PROXMOX_VE_API_TOKEN: "" })).toMatchObject({
      exit: 2,
      code: "infra/token-missing",
      hint: expect.stringContaining("export PROXMOX_VE_API_TOKEN"),
    });
    expect(await told(["up", "-f", file], { PROXMOX_VE_API_TOKEN: "a@pam!b=c" })).toMatchObject({
      exit: 4,
      code: "infra/endpoint-unreachable",
      message: expect.stringContaining("https://127.0.0.1:"),
    });
  });

  test("a castle that is not raised has no status, credentials or machines", async () => {
    expect(await told(["status"])).toMatchObject({ code: "lifecycle/not-raised", hint: "castle up" });
    expect(await told(["kubeconfig"])).toMatchObject({ code: "lifecycle/not-raised", hint: "castle up" });
    expect(await told(["down", "--yes"])).toMatchObject({ exit: 0, code: "" });
  });

  test("secrets of another identity, damaged secrets, a lost identity", async () => {
    const secrets = join(folder, "siege.secrets.age");
    const identity = join(folder, "config", "castle", "identity");
    await writeFile(secrets, "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n");
    expect(await told(["kubeconfig"])).toMatchObject({
      exit: 1,
      code: "secrets/identity",
      message: expect.stringContaining(identity),
    });
    await mkdir(join(folder, "config", "castle"), { recursive: true });
    await writeFile(identity, "not an identity\n");
    expect(await told(["kubeconfig"])).toMatchObject({ exit: 1, code: "secrets/identity" });
    const mistyped = "AGE-SECRET-KEY-1NOTANIDENTITY";
    await writeFile(identity, `${mistyped}\n`);
    for (const env of [{}, { CASTLE_AGE_IDENTITY: mistyped }]) {
      expect(await told(["kubeconfig"], env)).toMatchObject({
        exit: 1,
        code: "secrets/identity",
        message: expect.not.stringContaining(mistyped),
        hint: expect.stringContaining("CASTLE_AGE_IDENTITY"),
      });
    }
    await rm(identity);
    expect(await told(["kubeconfig"], { CASTLE_AGE_IDENTITY: "/nonexistent" })).toMatchObject({
      exit: 1,
      code: "secrets/identity",
      message: expect.stringContaining("/nonexistent"),
    });
    await rm(secrets);
  });
});

const folders = () => labFolders(join(folder, "labs"), LAB);
const labUp = () => told(["lab", "up", LAB]);
const daemon = async () => (await lockHolder(folders().daemonLock))?.process.pid ?? 0;

async function killDaemon(): Promise<number> {
  const pid = await daemon();
  // 0 would be the group of this very process.
  if (pid === 0) throw new Error(`lab ${LAB} has no daemon to kill`);
  process.kill(pid, "SIGKILL");
  return pid;
}

describe.skipIf(!canRunLab)("a lab", () => {
  afterEach(async () => {
    await told(["lab", "down", LAB, "--yes"]);
    const left = await census({ labs: { name: LAB }, states: folders().states });
    if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
  });

  test("two that bring it up at once get the same one", async () => {
    expect((await Promise.all([labUp(), labUp()])).map(({ exit }) => exit)).toEqual([0, 0]);
  });

  test("interrupted on its way up it is found by the next", async () => {
    const first = here.start("lab", "up", LAB);
    await expect.poll(daemon, { timeout: 20_000 }).toBeGreaterThan(0);
    const started = await daemon();
    first.kill("SIGINT");
    expect((await first).exitCode).toBe(130);
    expect(await labUp()).toMatchObject({ exit: 0 });
    expect(await daemon()).toBe(started);
  });

  test("its daemon killed, or what it told damaged: the next one picks up", async () => {
    expect(await labUp()).toMatchObject({ exit: 0 });
    const killed = await killDaemon();
    expect(await labUp()).toMatchObject({ exit: 0 });
    expect(await daemon()).not.toBe(killed);
    await writeFile(folders().descriptor, "{");
    expect(await labUp()).toMatchObject({ exit: 0 });
    expect(JSON.parse(await readFile(folders().descriptor, "utf8"))).toMatchObject({ name: LAB });
  });

  test("its record of machines, its settings or its port taken away", async () => {
    expect(await labUp()).toMatchObject({ exit: 0 });
    await killDaemon();
    const record = join(folders().state, "hypervisor.json");
    const settings = await readFile(folders().settings, "utf8");
    await writeFile(record, "{");
    expect(await labUp()).toMatchObject({
      exit: 1,
      code: "hypervisor/state-damaged",
      message: expect.stringContaining(record),
      hint: expect.stringContaining("castle lab down"),
    });
    await rm(record);
    const { port } = portShape.parse(JSON.parse(settings));
    const rival = createServer().listen(port, "127.0.0.1");
    expect(await labUp()).toMatchObject({
      exit: 1,
      code: "hypervisor/port-taken",
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => rival.close(resolve));
    await writeFile(folders().settings, "{");
    expect(await labUp()).toMatchObject({
      exit: 1,
      code: "lab/settings-broken",
      hint: expect.stringContaining(`castle lab down ${LAB}`),
    });
  });

  test("a lab of that name with its state elsewhere is neither joined nor taken away", async () => {
    await labUp();
    const states = join(folder, "labs");
    const elsewhere = { CASTLE_LABS: join(folder, "labs-elsewhere") };
    const refusal = {
      exit: 2,
      code: "lab/elsewhere",
      message: expect.stringContaining(states),
      hint: expect.stringContaining(`CASTLE_LABS=${states} castle lab down ${LAB} --yes`),
    };
    expect(await told(["lab", "up", LAB], elsewhere)).toMatchObject(refusal);
    expect(await told(["lab", "down", LAB, "--yes"], elsewhere)).toMatchObject(refusal);
    expect(await told(["lab", "status", LAB])).toMatchObject({ exit: 0 });
  });

  test("a castle of another network, another one at work, a wrong token", async () => {
    await labUp();
    const other = await writeSpec(
      "other.yaml",
      `${SPEC}network: {cidr: 10.9.0.0/24, gateway: 10.9.0.1, vip: 10.9.0.210}\nnodes: {controlPlanes: {count: 3, from: 10.9.0.211}, workers: {count: 1, from: 10.9.0.214}}\n`,
    );
    expect(await told(["up", "-f", other])).toMatchObject({ exit: 2, code: "lab/other-network" });
    const lock = join(folder, ".castle", "siege", "lock");
    const holder = { process: await identify(process.pid), host: hostname(), work: "up", mark: "m" };
    await writeFile(lock, JSON.stringify(holder));
    expect(await told(["up"])).toMatchObject({
      exit: 1,
      code: "lifecycle/locked",
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await rm(lock);
    const { api } = descriptorShape.parse(JSON.parse(await readFile(folders().descriptor, "utf8")));
    const file = await writeSpec("wrong.yaml", rack(api.endpoint));
    const wrong = "root@pam!castle=00000000-0000-0000-0000-000000000000";
    expect(await told(["up", "-f", file], { PROXMOX_VE_API_TOKEN: wrong })).toMatchObject({
      exit: 1,
      code: "infra/token-rejected",
      message: expect.not.stringContaining("00000000-0000"),
    });
  });

  test("a part whose hash is wrong is named, and nothing is started with it", async () => {
    const parts = join(folder, "parts");
    const digest = await linkedStore(parts, "runc");
    const program = join(parts, "objects", digest, "runc");
    await rm(program);
    await writeFile(program, "not runc", { mode: 0o755 });
    expect(await told(["lab", "up", LAB], { CASTLE_PARTS: parts })).toMatchObject({
      exit: 1,
      code: "parts/wrong-hash",
      message: expect.stringContaining("runc"),
      hint: expect.stringContaining("castle parts"),
    });
    expect(await daemon()).toBe(0);
  });
});

/** Links the user's parts into another store, so that single files of it can be exchanged. @returns the part's digest */
async function linkedStore(parts: string, name: string): Promise<string> {
  await execa("cp", ["-al", partsStore.objects.root, parts]);
  // Whoever builds parts just now builds them there.
  await rm(join(parts, "lock"), { force: true });
  const key = await partsStore.key(name);
  const record = await readFile(join(parts, "recipes", `${key}.json`), "utf8");
  return recordShape.parse(JSON.parse(record)).digest;
}
