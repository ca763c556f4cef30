import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readdir } from "node:fs/promises";
import { census } from "../../src/lab/machine/census.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { status, statusIs } from "./cluster.ts";

/** Two labs with the same addresses on one host: neither may see the other. */
describe.skipIf(!canRunLab)("castles side by side", () => {
  let east: CastleCommand;
  let west: CastleCommand;

  beforeAll(async () => {
    [east, west] = await Promise.all([
      CastleCommand.prepare("t-side-east"),
      CastleCommand.prepare("t-side-west"),
    ]);
    for (const castle of [east, west]) {
      await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 0 } }\n");
      await castle.run("up", "--install-tools");
    }
  });

  afterAll(async () => {
    await east.remove();
    await west.remove();
  });

  it("have the same addresses and are not the same", async () => {
    const [one, other] = [
      await statusIs(east, ({ healthy }) => healthy, "healthy"),
      await statusIs(west, ({ healthy }) => healthy, "healthy"),
    ];
    expect(one.vip.address).toBe(other.vip.address);
    expect(one.nodes.map(({ address }) => address)).toEqual(other.nodes.map(({ address }) => address));
    expect(await east.kubectl("get", "nodes", "-o", "name")).toBe("node/t-side-east-cp-1");
    expect(await west.kubectl("get", "nodes", "-o", "name")).toBe("node/t-side-west-cp-1");
  });

  it("go one by one", async () => {
    await east.run("down", "--yes");
    expect(await census({ labs: { name: "t-side-east" }, states: east.labs.states })).toEqual([]);
    expect(await status(west)).toMatchObject({ healthy: true });
    await west.run("down", "--yes");
    expect(await census({ labs: { prefix: "t-side-" }, states: west.labs.states })).toEqual([]);
    expect((await readdir("/run/netns")).filter((name) => name.includes("t-side-"))).toEqual([]);
  });
});
