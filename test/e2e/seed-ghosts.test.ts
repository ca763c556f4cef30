import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { type Node, nodesOf } from "./cluster.ts";
import { GhostInjector } from "./ghost-injector.ts";
import { curedShape, ghosts, haunted, threeHealthy, told } from "./ghosts.ts";

/** The seed's ghost and some of its kin, made on real nodes, named and cured; docs/ghosts.md has the classes. */
describe.skipIf(!canRunLab)("ghosts", () => {
  let castle: CastleCommand;
  let nodes: readonly Node[];
  let injector: GhostInjector;
  const node = (index: number) => injector.node(index);

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-ghosts");
    await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }\n");
    nodes = await nodesOf(castle);
    injector = new GhostInjector(castle, nodes);
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  const cure = () => castle.ask(curedShape, "ghosts", "--cure", "--yes");

  it("sees none in a healthy castle", async () => {
    expect(await ghosts(castle)).toMatchObject({ exitCode: 0, ghosts: [], quorum: { state: "holds" } });
    const found = await threeHealthy(castle, "after a raise");
    expect(found).toMatchObject({ exitCode: 0, ghosts: [], quorum: { state: "holds" } });
    expect(found.quorum.standing).toEqual(expect.objectContaining({ voters: 3, healthy: 3, tolerance: 1 }));
  });

  it("G3, G4 and G7: names all three at once, with the arithmetic of each", async () => {
    await injector.lingeringNode("old-worker");
    // In this order: a voter that never came keeps etcd from adding anybody.
    await injector.addMember("192.168.1.251", { learner: true });
    await injector.addMember("192.168.1.250", { learner: false });
    await haunted(castle, "G4");
    const found = await haunted(castle, "G3");
    const classes = told(found).map((ghost) => ghost.slice(0, 2));
    expect(classes.toSorted()).toEqual(["G3", "G4", "G7"]);
    expect(found.exitCode).toBe(3);
    const stranger = found.ghosts.find((ghost) => ghost.class === "G3");
    expect(stranger?.quorum[0]).toMatchObject({
      verdict: "safe",
      before: { voters: 4, healthy: 3, tolerance: 0 },
      after: { voters: 3, healthy: 3, tolerance: 1 },
    });
  });

  it("shows what a cure would do, and does nothing without a yes", async () => {
    await haunted(castle, "G3");
    const planned = await castle.try("ghosts", "--cure", "--dry-run");
    expect(planned.exitCode).toBe(3);
    expect(planned.stdout).toMatch(/remove \w{16}: 4 voters, 3 healthy.* → 3 voters, 3 healthy/);
    expect((await castle.try("ghosts", "--cure")).exitCode).toBe(2);
    expect(await injector.members()).toHaveLength(5);
  });

  it("cures them, and finds nothing to do the second time", async () => {
    const { cured, left, waiting } = await cure();
    expect(cured.map(({ class: name }) => name).toSorted()).toEqual(["G3", "G4", "G7"]);
    expect([...left, ...waiting]).toEqual([]);
    expect((await injector.members()).map(({ name }) => name).toSorted()).toEqual(
      nodes.map(({ name }) => name),
    );
    expect(await castle.kubectl("get", "nodes", "-o", "name")).not.toContain("old-worker");
    expect(await cure()).toMatchObject({ cured: [], left: [], waiting: [] });
  });

  it("G2: names the seed's ghost with its evidence, and cures it", async () => {
    await injector.otherName(node(1), "new-cp-2");
    const found = await haunted(castle, "G2", "etcd is Preparing");
    expect(told(found)).toEqual([`G2 ${node(1).name}`]);
    const facts = found.ghosts[0]?.evidence.map(({ fact }) => fact).join("\n");
    expect(facts).toContain(`name ${node(1).name}, peer ${node(1).address}`);
    expect(facts).toContain("which calls itself new-cp-2");
    expect(facts).toContain("etcd is Preparing");
    expect((await cure()).cured).toMatchObject([{ class: "G2", subject: node(1).name }]);
    expect((await injector.members()).map(({ name }) => name)).toContain("new-cp-2");
    expect(told(await ghosts(castle))).toEqual([]);
  });

  it("G5: names the node that carries a removed member's data, and lets it join anew", async () => {
    await injector.removedData(node(2));
    expect(told(await haunted(castle, "G5"))).toEqual([`G5 ${node(2).name}`]);
    expect((await cure()).cured).toMatchObject([{ class: "G5", subject: node(2).name }]);
    const { quorum, ghosts: left } = await ghosts(castle);
    expect(quorum.standing).toMatchObject({ voters: 3, healthy: 3 });
    expect(left).toEqual([]);
  });

  it("keeps a journal of what it did", async () => {
    const journals = (await readdir(join(castle.home, "journal"))).filter((name) =>
      name.includes("-ghosts-"),
    );
    const text = await Promise.all(
      journals.map((name) => readFile(join(castle.home, "journal", name), "utf8")),
    );
    expect(text.join("")).toMatch(/"type":"finished","id":"remove-[0-9a-f]{16}"/);
    expect(text.join("")).toContain(`"id":"rejoin-${node(2).name}"`);
  });

  it("without quorum names the ways out and what each loses, and touches nothing", async () => {
    for (const one of [node(1), node(2)]) await castle.run("lab", "power", "cut", one.name);
    const found = await ghosts(castle);
    expect(found).toMatchObject({ exitCode: 3, quorum: { state: "lost" } });
    expect(found.waysOut.map(({ command }) => command)).toEqual([
      "castle up",
      "castle restore BACKUP",
      "castle rebuild --yes",
    ]);
    const refused = await castle.try("ghosts", "--cure", "--yes");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("lifecycle/quorum");
    expect(refused.stderr).toContain("castle restore BACKUP");
  });
});
