import { CastleCommand } from "../test/e2e/castle-command.ts";
import { statusIs } from "../test/e2e/cluster.ts";
import { cutHolder } from "../test/e2e/failover.ts";
import { ending } from "./ending.ts";
import type { Bench, Section } from "./section.ts";

/** Milliseconds that the API is watched after each cut. */
const WATCHED = 12_000;
/** Power cuts a run: 20 with the bench's five. */
const CUTS = 4;

/** How long the API is away on the LAN, behind the VIP, when its holder loses its power; real power cuts of one castle. */
export const failoverSection: Section = {
  name: "failover",
  title: "The VIP's holder loses its power",
  measure: async ({ runs, tell, signal }) => {
    const castle = await CastleCommand.prepare("bench-vip");
    return ending(
      async () => {
        await castle.spec("");
        await castle.run("up", "--install-tools");
        const gaps = await cutAgain(castle, runs * CUTS, { tell, signal });
        const worst = Math.max(...gaps);
        return [
          { what: "API without an answer", unit: "s" as const, values: gaps, wanted: "at most 5 s, each" },
          { what: "the worst of them", unit: "s" as const, values: [worst], wanted: "at most 5 s" },
        ];
      },
      () => castle.remove(),
    );
  },
};

async function cutAgain(
  castle: CastleCommand,
  cuts: number,
  { tell, signal }: Pick<Bench, "tell" | "signal">,
): Promise<readonly number[]> {
  const gaps: number[] = [];
  for (let cut = 1; cut <= cuts; cut += 1) {
    signal.throwIfAborted();
    const { holder, told } = await cutHolder(castle, WATCHED);
    gaps.push(told.gap / 1000);
    tell(
      `cut ${cut} of ${cuts}: ${holder}, ${told.gap} ms without an answer, ${told.lost} of ${told.answers.length} lost`,
    );
    await castle.run("lab", "power", "on", holder);
    await statusIs(castle, ({ healthy }) => healthy, `healthy after cut ${cut}`);
  }
  return gaps;
}
