import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChaosWalk } from "../fixtures/chaos-walk.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { Seed } from "../e2e/seed.ts";

const OPERATIONS = Number(process.env["CASTLE_TEST_OPERATIONS"] ?? 30);
const seed = new Seed(process.env["CASTLE_TEST_SEED"]);

/** Operations and faults as they come, from a printed seed; CASTLE_TEST_OPERATIONS makes the walk shorter. */
describe.skipIf(!canRunLab)(`a walk of ${OPERATIONS} operations (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;
  let walk: ChaosWalk;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-chaos-long");
    await castle.spec("nodes: { controlPlanes: { count: 3 }, workers: { count: 1 } }\n");
    await castle.run("up");
    walk = new ChaosWalk(castle, seed, { planes: 3, workers: 1 });
  });
  // The census is taken there.
  afterAll(() => castle.remove());

  it("never loses quorum", async () => {
    for (let step = 0; step < OPERATIONS; step++) await walk.step();
    console.log(walk.told.join("\n"));
    expect(walk.told).toHaveLength(OPERATIONS);
  }, 7_200_000);

  it("ends in a healthy castle", async () => {
    const { off } = await walk.settle();
    expect(off).toEqual([]);
  });
});
