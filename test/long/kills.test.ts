import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { statusIs } from "../e2e/cluster.ts";
import { killUp } from "../e2e/killed-up.ts";
import { Seed } from "../e2e/seed.ts";
import { canRunLab } from "../fixtures/parts.ts";

const KILLS = 10;
/** Milliseconds: what a whole raise takes at most before its API answers. */
const RAISE = 30_000;
const seed = new Seed(process.env["CASTLE_TEST_SEED"]);

describe.skipIf(!canRunLab)(`castle up, killed again and again (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-long");
    await castle.spec("");
  });

  afterAll(async () => {
    await castle.remove();
  });

  it.each([1, 2, 3])("converges after %i rounds of kills, down in between", async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const { killed } = await killUp(castle, { after: /^…/, delay: seed.next(RAISE) });
      // It stood before its moment came: the next kill is of an `up` that has little to do.
      if (!killed) await statusIs(castle, ({ healthy }) => healthy, "healthy after an up that ended");
    }
    await castle.run("up", "--install-tools");
    const { nodes, etcd } = await statusIs(castle, ({ healthy }) => healthy, "healthy");
    expect(nodes).toHaveLength(5);
    expect(etcd.voters).toHaveLength(3);
    await castle.run("down", "--yes");
    expect(await census({ labs: { name: "t-long" }, states: castle.labs.states })).toEqual([]);
  });

  it("can be interrupted while it goes down", async () => {
    await castle.run("up", "--install-tools");
    for (let kill = 0; kill < 3; kill++) {
      const down = castle.start("down", "--yes");
      const timer = setTimeout(() => down.kill("SIGKILL"), seed.next(1500));
      await down;
      clearTimeout(timer);
    }
    await castle.run("down", "--yes");
    expect(await census({ labs: { name: "t-long" }, states: castle.labs.states })).toEqual([]);
  });
});
