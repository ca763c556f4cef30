import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poll } from "../../src/support/poll.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { nodesOf, statusIs } from "../e2e/cluster.ts";
import { GhostInjector } from "../e2e/ghost-injector.ts";
import { curedShape, ghosts, haunted, told } from "../e2e/ghosts.ts";
import { stopAfterFailure } from "../e2e/one-castle.ts";
import { canRunLab } from "../fixtures/parts.ts";

const SPEC = "nodes: { controlPlanes: { count: 3 }, workers: { count: 1 } }\n";

/** Every class that can be made on real nodes, made, named and cured. */
describe.skipIf(!canRunLab)("ghosts, all of them", () => {
  let castle: CastleCommand;
  let injector: GhostInjector;
  const node = (index: number) => injector.node(index);

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-haunt");
    await castle.spec(SPEC);
    injector = new GhostInjector(castle, await nodesOf(castle));
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  stopAfterFailure();

  const healthy = () => statusIs(castle, (found) => found.healthy, "healthy");

  /** @returns what was cured, where nothing is left and three control planes vote again */
  async function cure(): Promise<readonly string[]> {
    const { cured, left, waiting, milliseconds } = await castle.ask(curedShape, "ghosts", "--cure", "--yes");
    if (left.length + waiting.length > 0) throw new Error(`not whole: ${JSON.stringify({ left, waiting })}`);
    // A busy machine may not answer all within the few seconds of a look.
    await poll(async () => ((await ghosts(castle)).quorum.standing?.healthy === 3 ? true : undefined), {
      every: 1_000,
      within: 120_000,
      onTimeout: () => new Error("not three healthy voters after the cure"),
    });
    const names = cured.map(({ class: name, subject }) => `${name} ${subject}`);
    console.log(`${names.join(", ")}: verdict ${milliseconds.verdict} ms, cure ${milliseconds.cure} ms`);
    return names;
  }

  it("G1: joins, and Talos ends it", async () => {
    await injector.sameName(node(1));
    await castle.run("ghosts", "--cure", "--yes");
    await injector.votes(node(1).name);
    expect(told(await ghosts(castle))).toEqual([]);
  });

  it("G2: a former member on the same address", async () => {
    await injector.samePeer(node(1), "old-cp-2");
    await haunted(castle, "G2");
    expect(await cure()).toContain("G2 old-cp-2");
    await injector.votes(node(1).name);
  });

  it("G4: a learner that was added for a node and never started stands in its way", async () => {
    await injector.emptyDisk(node(1));
    await injector.removeMember(node(1).name);
    await injector.addMember(node(1).address, { learner: true });
    await injector.giveOwnConfig(node(1));
    await haunted(castle, "G4");
    expect(await cure()).toContain(`G4 ${node(1).name}`);
    await injector.votes(node(1).name);
  });

  it("G5: an old disk comes back into a node that has joined again since", async () => {
    const disk = await injector.keepDisk(node(2));
    await injector.removeMember(node(2).name);
    await injector.sameName(node(2));
    await injector.votes(node(2).name);
    await injector.restoreDisk(node(2), disk);
    await haunted(castle, "G5");
    expect(await cure()).toContain(`G5 ${node(2).name}`);
  });

  it("G8: another castle's disk, in a control plane and in a worker", async () => {
    for (const one of [node(1), node(3)]) {
      await injector.foreignDisk(one);
      await haunted(castle, "G8");
      expect(await cure()).toContain(`G8 ${one.name}`);
      await healthy();
    }
  });

  it("G3 and G7: what is left of nodes that castle.yaml does not have any more", async () => {
    await castle.run("lab", "power", "cut", node(3).name);
    await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }\n");
    await injector.addMember("192.168.1.250", { learner: false });
    await haunted(castle, "G7");
    await haunted(castle, "G3");
    expect(await cure()).toContain(`G7 ${node(3).name}`);
    expect(await castle.kubectl("get", "nodes", "-o", "name")).not.toContain(node(3).name);
    await castle.spec(SPEC);
  });
});
