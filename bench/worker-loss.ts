import { CastleCommand } from "../test/e2e/castle-command.ts";
import { cutWorker, workerBack } from "../test/e2e/worker-loss.ts";
import { ending } from "./ending.ts";
import type { Bench, Section } from "./section.ts";

const NAME = "bench-loss";
const SITE = { host: `blog.${NAME}.lan`, address: "192.168.1.230" };

/** What visitors lose of the minute after a worker has lost its power; two replicas, real power cuts of one castle. */
export const workerLossSection: Section = {
  name: "worker-loss",
  title: "A worker loses its power: requests lost of a minute, ten a second",
  measure: async ({ runs, tell, signal }) => {
    const castle = await CastleCommand.prepare(NAME);
    return ending(
      async () => {
        await castle.spec("gitops: {}\n");
        await castle.run("up", "--install-tools");
        const shares = (announcing: boolean) => cutAgain(castle, announcing, { runs, tell, signal });
        return [
          {
            what: "it did not announce the address",
            unit: "%" as const,
            values: await shares(false),
            wanted: "at most 5 %, each",
          },
          {
            what: "it announced the address",
            unit: "%" as const,
            values: await shares(true),
            wanted: "at most 15 %, each",
          },
        ];
      },
      () => castle.remove(),
    );
  },
};

async function cutAgain(
  castle: CastleCommand,
  announcing: boolean,
  { runs, tell, signal }: Pick<Bench, "runs" | "tell" | "signal">,
): Promise<readonly number[]> {
  const shares: number[] = [];
  for (let cut = 1; cut <= runs; cut += 1) {
    signal.throwIfAborted();
    const { worker, told, share } = await cutWorker(castle, SITE, announcing);
    shares.push(share);
    tell(
      `cut ${cut} of ${runs}: ${worker}, ${announcing ? "announcing" : "not announcing"}: ${told.lost} of ${told.answers.length} lost, ${told.gap} ms at most in a row`,
    );
    await workerBack(castle, worker);
  }
  return shares;
}
