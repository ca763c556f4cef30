import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { cutWorker, workerBack } from "../e2e/worker-loss.ts";

const NAME = "t-loss";
const SITE = { host: `blog.${NAME}.lan`, address: "192.168.1.230" };

/** Two workers, two replicas of everything that serves a page, and the power of one of them cut. */
describe.skipIf(!canRunLab)("a castle that loses a worker", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 2 } }\ngitops: {}\n");
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  it.each([
    { announcing: false, most: 5, what: "that does not announce the ingress' address" },
    { announcing: true, most: 15, what: "that announces the ingress' address" },
  ])("loses at most $most % of a minute's requests with a worker $what", async ({ announcing, most }) => {
    const { worker, told, share } = await cutWorker(castle, SITE, announcing);
    console.log(`${worker}: ${told.lost} of ${told.answers.length} lost, ${JSON.stringify(told.failures)}`);
    expect(told.answers.length).toBeGreaterThan(580);
    expect(share).toBeLessThanOrEqual(most);
    await workerBack(castle, worker);
  });
});
