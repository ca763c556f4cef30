/*
 * How long the API is away on the LAN when the VIP's holder loses its power: real power cuts of one raised castle, each
 * holder back and healthy before the next. As root, with the parts in place: tsx bench/failover.ts [CUTS]
 */
import { CastleCommand } from "../test/e2e/castle-command.ts";
import { statusIs } from "../test/e2e/cluster.ts";
import { cutHolder } from "../test/e2e/failover.ts";

/** Milliseconds that the API is watched after each cut. */
const WATCHED = 12_000;

export interface FailoverResult {
  /** Milliseconds, one a cut: the longest time without an answer. */
  readonly gaps: readonly number[];
  readonly worst: number;
  readonly median: number;
}

/** @param tell hears of each cut as it is done */
export async function failover(cuts: number, tell: (line: string) => void): Promise<FailoverResult> {
  const castle = await CastleCommand.prepare("bench-vip");
  const gaps: number[] = [];
  try {
    await castle.spec("");
    await castle.run("up", "--install-tools");
    for (let cut = 1; cut <= cuts; cut += 1) {
      const { holder, told } = await cutHolder(castle, WATCHED);
      gaps.push(told.gap);
      tell(
        `cut ${cut} of ${cuts}: ${holder}, ${told.gap} ms without an answer, ${told.lost} of ${told.answers.length} lost`,
      );
      await castle.run("lab", "power", "on", holder);
      await statusIs(castle, ({ healthy }) => healthy, `healthy after cut ${cut}`);
    }
  } finally {
    await castle.remove();
  }
  const sorted = gaps.toSorted((one, other) => one - other);
  return { gaps, worst: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}

if (process.argv[1]?.endsWith("failover.ts") === true) {
  const { worst, median } = await failover(Number(process.argv[2] ?? 20), (line) =>
    process.stderr.write(`${line}\n`),
  );
  process.stdout.write(`worst ${worst} ms (at most 5000), median ${median} ms\n`);
}
