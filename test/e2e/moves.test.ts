import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { bootsOf, nodesOf, statusIs } from "./cluster.ts";
import { Seed } from "./seed.ts";

const NAME = "t-moves";
const seed = new Seed(process.env["CASTLE_TEST_SEED"]);
/** Starts and ends of steps that the shorter of the verbs below has at least. */
const MOMENTS = 14;
/** The next worker's address, on another machine. */
const NEIGHBOUR = ["192.168.1.215/24", "dev", "eth0"];

const moveShape = z.object({
  kind: z.literal("CastleMove"),
  done: z.boolean(),
  allowed: z.boolean(),
  edit: z.array(z.string()),
  machines: z.array(z.object({ name: z.string(), change: z.string() })),
  quorum: z.array(
    z.object({
      before: z.object({ voters: z.int(), healthy: z.int(), tolerance: z.int() }),
      verdict: z.string(),
    }),
  ),
});

/** Another number of nodes, and nodes made anew, on one castle; each verb is killed once and run again. */
describe.skipIf(!canRunLab)(`a castle whose nodes change (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;
  /** castle.yaml, as its author wrote it. */
  let written = "";

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("nodes:\n  controlPlanes: { count: 3 } # odd\n  workers:\n    count: 1\n");
    written = await text();
    await castle.run("up");
  });
  afterAll(() => castle.remove());

  const text = () => readFile(join(castle.folder, "castle.yaml"), "utf8");

  async function plan(...args: readonly string[]) {
    const { exitCode, stdout } = await castle.try(...args, "--dry-run", "-o", "json");
    expect(exitCode).toBe(3);
    return moveShape.parse(JSON.parse(stdout));
  }

  /** Who there is, once nobody remembers anybody who is not in the spec. */
  async function standing(): Promise<{ voters: number; nodes: number }> {
    const { etcd, nodes } = await statusIs(castle, ({ healthy }) => healthy, "healthy");
    const names = nodes.map(({ name }) => name).toSorted();
    const registered = (await castle.kubectl("get", "nodes", "-o", "name")).trim().split("\n");
    expect(registered.map((line) => line.replace("node/", "")).toSorted()).toEqual(names);
    const members = await castle.talosctl("get", "members", "-o", "jsonpath={.metadata.id}");
    expect(members.trim().split("\n").toSorted()).toEqual(names);
    return { voters: etcd.voters.length, nodes: nodes.length };
  }

  /** Killed behind a step that the seed draws, and run again: it goes on. */
  async function killedOnce(...args: readonly string[]): Promise<void> {
    const { at } = await killVerb(castle, args, seed.next(MOMENTS));
    expect(at, `${args.join(" ")} ended before its kill`).toBeDefined();
    await castle.run(...args);
  }

  it("plans the replacement of a dead control plane: out, then in, with the arithmetic", async () => {
    await castle.run("lab", "power", "cut", `${NAME}-cp-2`);
    const { allowed, edit, quorum } = await plan("replace", `${NAME}-cp-2`);
    expect({ allowed, edit }).toEqual({ allowed: true, edit: [] });
    expect(quorum.map(({ before, verdict }) => [before.voters, before.healthy, verdict])).toEqual([
      [3, 2, "safe"],
      [2, 2, "safe"],
    ]);
  });

  it("refuses to replace another one meanwhile, and touches nothing", async () => {
    const nodes = (await nodesOf(castle)).filter(({ name }) => name !== `${NAME}-cp-2`);
    const boots = await bootsOf(castle, nodes);
    const { exitCode, stdout } = await castle.try("replace", `${NAME}-cp-1`, "--yes", "-o", "json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "Error", code: "lifecycle/quorum" });
    expect(await bootsOf(castle, nodes)).toEqual(boots);
  });

  it("replaces it without it, killed on the way", async () => {
    await killedOnce("replace", `${NAME}-cp-2`, "--yes");
    expect(await standing()).toEqual({ voters: 3, nodes: 4 });
  });

  const neighbour = (change: "add" | "delete") =>
    castle.run("lab", "exec", "--network", `${NAME}-worker-1`, "--", "ip", "address", change, ...NEIGHBOUR);

  it("adds a worker and edits one number of the file, or goes round a neighbour's address", async () => {
    const before = await text();
    const { edit, machines } = await plan("scale", "--workers", "2");
    expect(edit).toEqual(["-     count: 1", "+     count: 2"]);
    expect(machines).toMatchObject([{ name: `${NAME}-worker-2`, change: "made" }]);
    await neighbour("add");
    await castle.run("scale", "--workers", "2");
    await neighbour("delete");
    expect(await text()).toBe(before.replace("count: 1", "addresses: [192.168.1.214, 192.168.1.216]"));
    expect(await standing()).toEqual({ voters: 3, nodes: 5 });
  });

  it("needs a yes to take nodes away, and an odd number of control planes", async () => {
    expect((await castle.try("scale", "--workers", "1")).exitCode).toBe(2);
    expect((await castle.try("scale", "--control-planes", "2", "--yes")).exitCode).toBe(2);
  });

  it("goes down to one control plane and one worker, killed on the way; up refuses meanwhile, the file is as it was", async () => {
    const down = ["scale", "--control-planes", "1", "--workers", "1", "--yes"];
    const { quorum } = await plan(...down);
    expect(quorum.map(({ verdict }) => verdict)).toEqual(["safe", "safe"]);
    // At the second step's start: the ledger has the departure as begun, castle.yaml does not know of it.
    const { at } = await killVerb(castle, down, 2 + seed.next(MOMENTS - 2));
    expect(at).toBeDefined();
    const { exitCode, stdout } = await castle.try("up", "-o", "json");
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([1, { code: "lifecycle/unfinished" }]);
    await castle.run(...down);
    expect(await text()).toBe(written.replace("count: 3", "count: 1"));
    expect(await standing()).toEqual({ voters: 1, nodes: 2 });
  });

  it("does not take the last control plane", async () => {
    const { exitCode, stdout } = await castle.try("replace", `${NAME}-cp-1`, "--yes", "-o", "json");
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([1, { code: "lifecycle/quorum" }]);
  });

  it("goes up to three again, one learner after the other, at the addresses of before", async () => {
    await castle.run("scale", "--control-planes", "3");
    expect(await text()).toBe(written);
    expect(await standing()).toEqual({ voters: 3, nodes: 4 });
  });
});
