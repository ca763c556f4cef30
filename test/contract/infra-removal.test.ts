import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { partOrSkip } from "../fixtures/parts.ts";
import { testCastle } from "./infra-castle.ts";
import { type Rack, startRack } from "./infra-hypervisor.ts";

const provider = await partOrSkip("terraform-provider-proxmox");
const castle = testCastle();

/** The real terraform and the real provider, as `castle replace` and `castle scale` drive them. */
describe.skipIf(provider === undefined)("removal of single machines", () => {
  let rack: Rack;

  beforeEach(async () => {
    rack = await startRack(provider ?? "");
    await rack.terraform(castle).apply();
  });
  afterEach(() => rack.lab.remove());

  it("takes control planes too, and touches no other, also after a lost state", async () => {
    expect(await rack.terraform(castle).remove(["fortress-cp-2"])).toEqual(["fortress-cp-2"]);
    await rm(rack.directory, { recursive: true });
    expect(await rack.terraform(castle).remove(["fortress-worker-1"])).toEqual(["fortress-worker-1"]);
    expect(await rack.terraform(castle).remove(["fortress-cp-2", "fortress-worker-1"])).toEqual([]);
    expect([...rack.lab.driver.machines.keys()].toSorted((one, other) => one - other)).toEqual([
      8101, 8103, 8105,
    ]);
    expect([...rack.lab.driver.machines.values()].map(({ starts }) => starts)).toEqual([1, 1, 1]);
    const plan = await rack.terraform(castle).plan();
    expect(plan.creates.map(({ title }) => title)).toEqual([
      "machine fortress-cp-2",
      "machine fortress-worker-1",
    ]);
  });
});
