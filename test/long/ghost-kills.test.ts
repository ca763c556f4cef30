import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CastleCommand } from "../e2e/castle-command.ts";
import { type Node, nodesOf } from "../e2e/cluster.ts";
import { GhostInjector } from "../e2e/ghost-injector.ts";
import { haunted, threeHealthy, told } from "../e2e/ghosts.ts";
import { chosenMoments } from "../fixtures/chosen-moments.ts";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";

/** No cure has that many starts and ends of steps. */
const MOST = 40;
const CURE = ["ghosts", "--cure", "--yes"] as const;
const moments = chosenMoments(MOST);

/** A cure killed behind every start and end of every step of its own journal, and run again: it converges. */
describe.skipIf(!canRunLab)("kill -9 of a cure at every journal step", () => {
  let castle: CastleCommand;
  let nodes: readonly Node[];
  let injector: GhostInjector;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-ghost-kills");
    await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }\n");
    nodes = await nodesOf(castle);
    injector = new GhostInjector(castle, nodes);
    await castle.run("up", "--install-tools");
  });
  // The census is taken there.
  afterAll(() => castle.remove());

  it("converges", async () => {
    const killed: string[] = [];
    for (const moment of moments) {
      const node = injector.node(1 + (moment % 2));
      // One of each kind of cure: a Node that is deleted, a member that is removed, a node that is made anew.
      await injector.lingeringNode("old-worker");
      await injector.removedData(node);
      await injector.addMember("192.168.1.250", { learner: true });
      await haunted(castle, "G4");
      await haunted(castle, "G5");
      const { at } = await killVerb(castle, CURE, moment);
      await castle.run(...CURE);
      const found = await threeHealthy(castle, `after a kill behind ${at}`);
      expect(told(found), `after a kill behind ${at}`).toEqual([]);
      expect(found.quorum.standing, `after a kill behind ${at}`).toMatchObject({ voters: 3, healthy: 3 });
      expect((await injector.members()).map(({ name }) => name).toSorted()).toEqual(
        nodes.map(({ name }) => name),
      );
      expect(await castle.kubectl("get", "nodes", "-o", "name")).not.toContain("old-worker");
      if (at === undefined) break;
      killed.push(at);
      // Told at once: a part that is cut off has shown as much as it tells.
      console.log(`killed behind ${at} (${moment}): it converged`);
    }
    console.log(`a cure killed behind ${killed.length} moments: ${killed.join(", ")}`);
    expect(killed.length).toBeGreaterThan(0);
  }, 7_200_000);
});
