import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { poll } from "../../src/support/poll.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { bootsOf, nodesOf } from "./cluster.ts";

const resetShape = z.object({
  kind: z.literal("CastleReset"),
  nodes: z.array(z.object({ name: z.string(), outcome: z.string() })),
});
const planShape = z.object({
  kind: z.literal("CastleMove"),
  verb: z.string(),
  done: z.literal(false),
  machines: z.array(z.object({ name: z.string(), change: z.string() })),
  quorum: z.array(z.object({ before: z.object({ voters: z.int() }), verdict: z.string() })),
  lost: z.array(z.string()),
});
const raisedShape = z.object({ kind: z.literal("CastleRaised"), nodes: z.array(z.string()) });
const healthShape = z.object({
  kind: z.literal("CastleHealth"),
  healthy: z.boolean(),
  checks: z.array(
    z.object({
      id: z.string(),
      verdict: z.string(),
      findings: z.array(z.object({ object: z.string(), message: z.string() })),
    }),
  ),
});
type Health = z.infer<typeof healthShape>;

const NODES = ["t-slate-cp-1", "t-slate-worker-1"];

const VOLUME = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "photos" },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: "/var/photos" },
  },
};

/** What the seed did after its ghosts: everything wiped at once, and the same castle raised again. */
describe.skipIf(!canRunLab)("the clean slate", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-slate");
    await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 1 } }\n");
    await castle.run("up");
    await castle.kubectl("apply", "-f", await castle.file("volume.json", VOLUME));
  });
  afterAll(() => castle.remove());

  async function health(): Promise<Health & { exitCode: number }> {
    const { exitCode, stdout } = await castle.try("health", "-o", "json");
    return { ...healthShape.parse(JSON.parse(stdout)), exitCode };
  }

  /** Pods of the system go on starting for some seconds after the nodes are Ready. */
  async function becomesHealthy(): Promise<boolean> {
    let last: unknown;
    return poll(
      async () => {
        const { healthy, exitCode, checks } = await health();
        last = checks.filter(({ verdict }) => verdict !== "healthy");
        return healthy && exitCode === 0 ? true : undefined;
      },
      { every: 1_000, within: 180_000, onTimeout: () => new Error(JSON.stringify(last)) },
    );
  }

  /** A file on every machine's disk, where no node knows of it. */
  async function canaries(): Promise<string[]> {
    const machines = join(castle.labs.state, "machines");
    const folders = await readdir(machines);
    return folders.map((vmid) => join(machines, vmid, "disk", "var", "canary"));
  }

  it("starts from a castle that its own doctor finds healthy", async () => {
    expect(await becomesHealthy()).toBe(true);
  });

  const cps = async () => (await nodesOf(castle)).filter(({ role }) => role === "controlplane");

  it("names the node that is off, and what it takes with it", async () => {
    await castle.run("lab", "power", "cut", "t-slate-worker-1");
    const { exitCode, checks } = await health();
    expect(exitCode).toBe(3);
    const findings = checks.find(({ id }) => id === "apid-ready")?.findings;
    expect(findings?.map(({ object }) => object)).toEqual(["t-slate-worker-1"]);
  });

  it.each([
    ["reset", "wiped"],
    ["rebuild", "made anew"],
  ])("tells what %s would do, and does nothing of it", async (verb, change) => {
    const boots = await bootsOf(castle, await cps());
    const { exitCode, stdout } = await castle.try(verb, "--dry-run", "-o", "json");
    expect([exitCode, planShape.parse(JSON.parse(stdout))]).toMatchObject([
      3,
      {
        verb,
        machines: NODES.map((name) => ({ name, change })),
        quorum: [{ before: { voters: 1 }, verdict: "end" }],
        lost: ["photos (unclaimed)"],
      },
    ]);
    expect(await bootsOf(castle, await cps())).toEqual(boots);
  });

  it("wipes every disk, also of the node that is off, and proves it", async () => {
    const planted = await canaries();
    await Promise.all(planted.map((file) => writeFile(file, "still here\n")));
    const { nodes } = await castle.ask(resetShape, "reset", "--yes");
    expect(nodes).toEqual(NODES.map((name) => ({ name, outcome: "wiped" })));
    const left = await Promise.all(
      planted.map((file) =>
        stat(file).then(
          () => file,
          () => undefined,
        ),
      ),
    );
    expect(left.filter((file) => file !== undefined)).toEqual([]);
  });

  it("lets every machine unmount its disk, which Talos tries ten times", async () => {
    const machines = join(castle.labs.state, "machines");
    const tries = await Promise.all(
      (await readdir(machines)).map(async (vmid) => {
        const said = await readFile(join(machines, vmid, "console.log"), "utf8");
        expect(said).toContain("reset sequence");
        return said.split("failed unmounting /var").length - 1;
      }),
    );
    expect(Math.max(...tries)).toBeLessThan(10);
  });

  it("changes nothing when it is asked again", async () => {
    const { nodes } = await castle.ask(resetShape, "reset", "--yes");
    expect(nodes.map(({ outcome }) => outcome)).toEqual(["was empty", "was empty"]);
    const { exitCode, stdout } = await castle.try("reset", "--dry-run", "-o", "json");
    const { machines } = planShape.parse(JSON.parse(stdout));
    expect([exitCode, machines.map(({ change }) => change)]).toEqual([0, ["empty already", "empty already"]]);
  });

  it("needs a yes", async () => {
    expect((await castle.try("reset")).exitCode).toBe(2);
    expect((await castle.try("rebuild")).exitCode).toBe(2);
  });

  it("raises the same castle again, with the credentials of before", async () => {
    const before = await castle.run("talosconfig");
    const { nodes } = await castle.ask(raisedShape, "rebuild", "--yes");
    expect(nodes).toEqual(NODES);
    expect(authorityOf(await castle.run("talosconfig"))).toBe(authorityOf(before));
    expect(await becomesHealthy()).toBe(true);
  });
});

function authorityOf(talosconfig: string): string | undefined {
  return /^\s*ca: (\S+)$/m.exec(talosconfig)?.[1];
}
