import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { cableName } from "../../src/lab/machine/names.ts";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { labFolders } from "../../src/lab/folders.ts";
import { census } from "../../src/lab/machine/census.ts";
import { encryptedFileStore } from "../../src/secrets/encrypted-file.ts";
import { ageIdentity } from "../../src/secrets/identity.ts";
import { poll } from "../../src/support/poll.ts";
import { lockHolder } from "../../src/support/process-lock.ts";
import { run } from "../../src/support/run.ts";
import { generateSecrets } from "../../src/talos/secrets.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { bootsOf, type Node, nodesOf, statusIs } from "../e2e/cluster.ts";
import { killUp } from "../e2e/killed-up.ts";
import { canRunLab, part } from "../fixtures/parts.ts";
import { stopAfterFailure } from "../e2e/one-castle.ts";

const NAME = "t-odds";
const errorShape = z.object({
  kind: z.literal("Error"),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});

/** What goes wrong with a castle that stands; each is told, and the next `up` mends it. */
describe.skipIf(!canRunLab)("a castle and its faults", () => {
  let castle: CastleCommand;
  let nodes: readonly Node[] = [];

  async function spec(hosts: readonly string[]): Promise<void> {
    const lab = `{ name: ${NAME}, hosts: [${hosts.join(", ")}] }`;
    const yaml = `castle: ${NAME}\nhypervisor: { lab: ${lab} }\nnodes: { controlPlanes: { count: 1 }, workers: { count: 1 } }\n`;
    await writeFile(join(castle.folder, "castle.yaml"), yaml);
  }

  async function fault(exit: number, ...args: readonly string[]): Promise<z.infer<typeof errorShape>> {
    const { exitCode, stdout } = await castle.try(...args, "-o", "json");
    expect(exitCode).toBe(exit);
    return errorShape.parse(JSON.parse(stdout));
  }

  function nodeOf(role: Node["role"]): Node {
    const node = nodes.find((candidate) => candidate.role === role);
    if (node === undefined) throw new Error(`no ${role}`);
    return node;
  }

  const healthyAgain = () => statusIs(castle, ({ healthy }) => healthy, "healthy");

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await spec(["pve1", "pve2"]);
    nodes = await nodesOf(castle);
  });

  afterAll(async () => {
    await castle.remove();
  });

  stopAfterFailure();

  it("interrupted with Ctrl-C on its way up it ends with 130, and rises when it is told again", async () => {
    const interrupted = await killUp(castle, {
      after: /^✓ Machine configurations/,
      delay: 500,
      signal: "SIGINT",
    });
    expect(interrupted).toMatchObject({ killed: true, exitCode: 130 });
    await castle.run("up");
    await healthyAgain();
  });

  it("whose lab's daemon crashed is told as such, and is found again without a restart", async () => {
    const boots = await bootsOf(castle, nodes);
    const { daemonLock } = labFolders(castle.labs.states, NAME);
    const holder = await lockHolder(daemonLock);
    if (holder === undefined) throw new Error("no daemon");
    process.kill(holder.process.pid, "SIGKILL");
    await poll(async () => ((await lockHolder(daemonLock)) === undefined ? true : undefined), {
      every: 50,
      within: 10_000,
      onTimeout: () => new Error("the daemon does not die"),
    });
    for (const command of ["status", "kubeconfig"]) {
      expect(await fault(4, command)).toMatchObject({
        code: "lab/not-running",
        message: expect.stringMatching(new RegExp(`Castle ${NAME} .*lab ${NAME} has no daemon`)),
        hint: expect.stringContaining(`castle lab up ${NAME}`),
      });
    }
    await castle.run("up");
    await healthyAgain();
    expect(await bootsOf(castle, nodes)).toEqual(boots);
  });

  it.each(["worker", "controlplane"] as const)("with its %s powered off: up switches it on", async (role) => {
    const { name } = nodeOf(role);
    await castle.run("lab", "power", "cut", name);
    expect((await castle.try("plan")).exitCode).toBe(3);
    await castle.run("up");
    await healthyAgain();
  });

  it("whose spec would move its control plane is refused, and nothing of it is done", async () => {
    const boots = await bootsOf(castle, nodes);
    await spec(["pve2", "pve1"]);
    const { name } = nodeOf("controlplane");
    const { exitCode, stdout } = await castle.try("plan");
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`replace ${name}`);
    expect(await fault(1, "up")).toMatchObject({
      code: "infra/plan-refused",
      message: expect.stringContaining(`replace ${name} (node_name)`),
      hint: expect.stringContaining("castle"),
    });
    expect(await bootsOf(castle, nodes)).toEqual(boots);
    await spec(["pve1", "pve2"]);
    expect((await castle.try("plan")).exitCode).toBe(0);
  });

  it("whose secrets were exchanged for another castle's does not touch its nodes", async () => {
    const boots = await bootsOf(castle, nodes);
    const file = join(castle.folder, `${NAME}.secrets.age`);
    await rename(file, `${file}.own`);
    const tool = { path: await part("talosctl"), folder: join(castle.folder, "other") };
    const identity = join(castle.folder, "config", "castle", "identity");
    const other = encryptedFileStore({
      path: file,
      identity: (locked) => ageIdentity(identity, undefined, locked),
      now: () => new Date(),
    });
    await other.put({ "talos-secrets": await generateSecrets(tool, "v1.11.5") });
    expect(await fault(1, "up")).toMatchObject({
      code: "lifecycle/foreign-node",
      message: expect.stringContaining(NAME),
      hint: expect.stringContaining("castle down --yes"),
    });
    await rename(`${file}.own`, file);
    await rm(tool.folder, { recursive: true, force: true });
    await castle.run("up");
    await healthyAgain();
    expect(await bootsOf(castle, nodes)).toEqual(boots);
  });

  it("whose worker does not answer any more: up names it and ends in its time", async () => {
    const { name, vmid } = nodeOf("worker");
    const cable = (state: "up" | "down") =>
      run("ip", ["-n", lanNamespace(NAME), "link", "set", cableName(vmid, 0), state]);
    await cable("down");
    try {
      expect(await fault(4, "up", "--timeout", "10")).toMatchObject({
        code: "talos/unreachable",
        message: expect.stringMatching(new RegExp(`${name} .*within 10 s`)),
        hint: expect.stringContaining(`castle lab logs ${name}`),
      });
    } finally {
      await cable("up");
    }
    await castle.run("up");
    await healthyAgain();
  });

  it("goes and leaves nothing", async () => {
    await castle.run("down", "--yes");
    expect(await census({ labs: { name: NAME }, states: castle.labs.states })).toEqual([]);
  });
});
