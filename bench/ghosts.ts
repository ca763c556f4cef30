import { CastleCommand } from "../test/e2e/castle-command.ts";
import { nodesOf, statusIs } from "../test/e2e/cluster.ts";
import { GhostInjector } from "../test/e2e/ghost-injector.ts";
import { ending } from "./ending.ts";
import type { Section } from "./section.ts";
import { curedShape, ghosts, haunted } from "../test/e2e/ghosts.ts";

/** The seed's ghost, made again and again in one castle: how soon it is named, and how soon it is gone. */
export const ghostsSection: Section = {
  name: "ghosts",
  title: "The seed's ghost: another name on the same address",
  measure: async ({ runs, tell, signal }) => {
    const castle = await CastleCommand.prepare("bench-ghosts");
    return ending(
      async () => {
        await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 0 } }\n");
        await castle.run("up", "--install-tools");
        const nodes = await nodesOf(castle);
        const injector = new GhostInjector(castle, nodes);
        const [, node] = nodes;
        if (node === undefined) throw new Error("a castle of three has a second control plane");
        const healthy: number[] = [];
        const verdicts: number[] = [];
        const cures: number[] = [];
        for (let run = 1; run <= runs; run += 1) {
          signal.throwIfAborted();
          await statusIs(castle, (found) => found.healthy, `healthy before ghost ${run}`);
          // The Node of the last ghost may just become one of its own.
          await castle.run("ghosts", "--cure", "--yes");
          healthy.push((await ghosts(castle)).milliseconds / 1000);
          await injector.samePeer(node, "old-cp-2");
          verdicts.push((await haunted(castle, "G2")).milliseconds / 1000);
          const { milliseconds } = await castle.ask(curedShape, "ghosts", "--cure", "--yes");
          cures.push(milliseconds.cure / 1000);
          tell(`ghost ${run} of ${runs}: verdict ${milliseconds.verdict} ms, cure ${milliseconds.cure} ms`);
        }
        return [
          { what: "no ghosts, told", unit: "s" as const, values: healthy, wanted: "at most 5 s" },
          { what: "the ghost named", unit: "s" as const, values: verdicts, wanted: "at most 5 s" },
          { what: "the ghost cured", unit: "s" as const, values: cures, wanted: "at most 60 s" },
        ];
      },
      () => castle.remove(),
    );
  },
};
