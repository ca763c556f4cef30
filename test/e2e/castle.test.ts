import { readFile, readdir, rm } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { poll } from "../../src/support/poll.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand, raisedShape } from "./castle-command.ts";
import {
  type Node,
  bootsOf,
  etcdctl,
  labelsOf,
  nodesOf,
  resolveInCluster,
  status,
  statusIs,
} from "./cluster.ts";
import { cutHolder } from "./failover.ts";
import { restartHost } from "./host-restart.ts";
import { killUp } from "./killed-up.ts";
import { exposed, holds, secretsOf } from "./secrets.ts";
import { Seed } from "./seed.ts";
import { Witness } from "./witness.ts";
import { stopAfterFailure } from "./one-castle.ts";

const API_DONE = /^✓ Kubernetes API/;
const seed = new Seed(process.env["CASTLE_TEST_SEED"]);

/** One castle of five real nodes, as a user raises it, in the order of a castle's life. */
describe.skipIf(!canRunLab)("a castle in the lab", () => {
  let castle: CastleCommand;
  let witness: Witness;
  let nodes: readonly Node[];
  const addresses = (role: Node["role"]) =>
    nodes.flatMap((node) => (node.role === role ? [node.address] : [])).join(",");
  const leftovers = () => census({ labs: { prefix: "t-e2e" }, states: castle.labs.states });
  const own = new Set(Object.values(networkInterfaces()).flatMap((cards) => cards?.map((c) => c.address)));

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-e2e");
    await castle.spec("");
    nodes = await nodesOf(castle);
    witness = new Witness();
  });

  afterAll(async () => {
    await witness.leave();
    await castle.remove();
  });

  stopAfterFailure();

  it("rises from its file", async () => {
    const raised = await castle.ask(raisedShape, "up", "--install-tools");
    expect(raised).toMatchObject({ castle: "t-e2e", vip: "192.168.1.210" });
    expect(raised.nodes).toEqual(nodes.map(({ name }) => name));
    expect(raised.nodes).toHaveLength(5);
  });

  it("is healthy to the real talosctl", async () => {
    await castle.talosctl(
      "health",
      "--control-plane-nodes",
      addresses("controlplane"),
      "--worker-nodes",
      addresses("worker"),
    );
    const members = await castle.talosctl("get", "members");
    for (const { name } of nodes) expect(members).toContain(name);
  });

  it("has three voters to the real etcdctl", async () => {
    const controlPlanes = nodes.filter(({ role }) => role === "controlplane");
    const { health, members } = await etcdctl(castle, controlPlanes);
    expect(health.map((endpoint) => endpoint.health)).toEqual([true, true, true]);
    expect(members.map(({ name }) => name).sort()).toEqual(controlPlanes.map(({ name }) => name));
    expect(members.filter(({ isLearner }) => isLearner === true)).toEqual([]);
  });

  it("has five Ready nodes to the real kubectl", async () => {
    const lines = (await castle.kubectl("get", "nodes", "--no-headers")).trim().split("\n");
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2))).toEqual(
      nodes.map(({ name }) => [name, "Ready"]),
    );
    expect(await status(castle)).toMatchObject({ healthy: true });
  });

  it("runs pods, and their network carries", async () => {
    const image = "registry.k8s.io/kube-proxy:v1.34.4";
    await castle.kubectl(
      "run",
      "visitor",
      `--image=${image}`,
      "--restart=Never",
      "--command",
      "--",
      "sh",
      "-c",
      "echo alive",
    );
    await castle.kubectl("wait", "pod/visitor", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s");
    expect(await castle.kubectl("logs", "visitor")).toBe("alive");
    const dns = ["-n", "kube-system", "deployment/coredns"];
    await castle.kubectl("wait", ...dns, "--for=condition=Available", "--timeout=120s");
    const worker = nodes.find(({ role }) => role === "worker");
    if (worker === undefined) throw new Error("no worker");
    expect(await resolveInCluster(castle, worker, "kubernetes.default.svc.cluster.local")).toBe("10.96.0.1");
  });

  it("changes nothing when it is raised again", async () => {
    const boots = await bootsOf(castle, nodes);
    await castle.run("up");
    expect(await bootsOf(castle, nodes)).toEqual(boots);
    expect((await castle.try("plan")).exitCode).toBe(0);
  });

  it("takes its machines back when .castle is lost", async () => {
    const boots = await bootsOf(castle, nodes);
    await rm(join(castle.folder, ".castle"), { recursive: true });
    await castle.run("up");
    expect(await bootsOf(castle, nodes)).toEqual(boots);
    expect((await castle.try("plan")).exitCode).toBe(0);
  });

  it("follows its file without a restart", async () => {
    const boots = await bootsOf(castle, nodes);
    await castle.spec(
      "nodes: { workers: { disk: 12GiB } }\ntalos: { patches: [{ machine: { nodeLabels: { castle.test/wing: north } } }] }\n",
    );
    expect((await castle.try("plan")).exitCode).toBe(3);
    await castle.run("up");
    expect((await castle.try("plan")).exitCode).toBe(0);
    expect(await bootsOf(castle, nodes)).toEqual(boots);
    await poll(
      async () =>
        (await labelsOf(castle, "castle.test/wing")).every((value) => value === "north") ? true : undefined,
      { every: 500, within: 60_000, onTimeout: () => new Error("not all nodes have the new label") },
    );
  });

  it.each(["first", "second"])(
    "answers on the LAN within 5 s when the VIP's %s holder loses its power, which joins again when it is back",
    async () => {
      const { holder, told } = await cutHolder(castle, 12_000);
      expect(told.answers.length).toBeGreaterThan(100);
      expect(told.lost).toBeGreaterThan(0);
      expect(told.gap).toBeLessThanOrEqual(5_000);
      expect((await castle.try("kubectl", "--", "get", "--raw", "/readyz")).exitCode).toBe(0);
      const after = await status(castle);
      expect(after?.nodes.find(({ name }) => name === holder)?.machine).toBe("stopped");
      expect(after?.vip.holder).not.toBe(holder);
      await castle.run("lab", "power", "on", holder);
      await statusIs(castle, ({ healthy }) => healthy, "healthy with its lost node back");
    },
  );

  it("comes back after a restart of the host", async () => {
    await restartHost(castle.labs);
    expect((await leftovers()).filter(({ kind }) => kind !== "state" && kind !== "cgroup")).toEqual([]);
    await castle.run("lab", "up");
    await statusIs(castle, ({ healthy }) => healthy, "healthy after a restart of the host");
    expect(await labelsOf(castle, "castle.test/wing")).toEqual(nodes.map(() => "north"));
  });

  it("keeps its secrets", async () => {
    const secrets = await secretsOf(castle);
    // Five configurations, two credentials, a token, an identity: fewer means that this test looks at nothing.
    expect(secrets.length).toBeGreaterThan(12);
    const journals = join(castle.home, "journal");
    const texts = await Promise.all(
      (await readdir(journals)).map(async (name) => readFile(join(journals, name), "utf8")),
    );
    expect(texts.filter((text) => holds(text, secrets))).toEqual([]);
    expect(castle.outputs.filter((output) => holds(output, secrets))).toEqual([]);
    expect([...witness.commandLines].filter((line) => holds(line, secrets))).toEqual([]);
    expect(holds(await readFile(castle.labs.log, "utf8"), secrets)).toBe(false);
    expect(await exposed(castle.folder, secrets)).toEqual([]);
  });

  it("goes and leaves nothing", async () => {
    await castle.run("down", "--yes");
    expect(await leftovers()).toEqual([]);
  });

  it(`rises although up is killed three times (CASTLE_TEST_SEED=${seed.value})`, async () => {
    const early = { after: /^… Machines on/, delay: seed.next(2500) };
    const bootstrapped = { after: /^✓ etcd bootstrap/, delay: seed.next(3000) };
    const late = { after: API_DONE, delay: seed.next(2000) };
    expect(await killUp(castle, early)).toMatchObject({ killed: true });
    const second = await killUp(castle, bootstrapped);
    expect(second.killed).toBe(true);
    expect(second.lines.filter((line) => API_DONE.test(line))).toEqual([]);
    expect(await killUp(castle, late)).toMatchObject({ killed: true });
    await castle.run("up");
    const standing = await statusIs(castle, ({ healthy }) => healthy, "healthy");
    expect(standing.nodes).toHaveLength(5);
    expect(standing.etcd.voters).toHaveLength(3);
  });

  it("leaves nothing once more, and the root namespace never had a lab's address", async () => {
    await castle.run("down", "--yes");
    expect(await leftovers()).toEqual([]);
    expect([...witness.addresses].filter((address) => !own.has(address))).toEqual([]);
  });
});
