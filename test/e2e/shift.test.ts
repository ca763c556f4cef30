import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { killVerb } from "../fixtures/killed-verb.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { statusIs } from "./cluster.ts";
import { Seed } from "./seed.ts";

const NAME = "t-shift";
const seed = new Seed(process.env["CASTLE_TEST_SEED"]);
/** The new VIP's address, on another machine. */
const OTHERS = ["192.168.1.220/24", "dev", "eth0"];
/** Starts and ends of steps that each verb has at least. */
const MOMENTS = { shift: 24, rebuild: 20, reset: 7 } as const;

const planShape = z.object({
  allowed: z.boolean(),
  lost: z.array(z.string()),
  machines: z.array(z.object({ name: z.string(), from: z.string(), address: z.string() })),
  quorum: z.array(z.object({ verdict: z.string() })),
  occupied: z.array(z.object({ who: z.string(), address: z.string() })),
});

const VOLUME = `apiVersion: v1
kind: PersistentVolume
metadata: { name: photos }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  hostPath: { path: /var/photos }
`;

/** The seed's network shift, and a castle that becomes another one; each verb is killed once and run again. */
describe.skipIf(!canRunLab)(`a castle at other addresses (CASTLE_TEST_SEED=${seed.value})`, () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 1 } } # small\n");
    await castle.run("up");
    await writeFile(join(castle.folder, "volume.yaml"), VOLUME);
    await castle.kubectl("apply", "-f", join(castle.folder, "volume.yaml"));
  });
  afterAll(() => castle.remove());

  const address = (change: string) =>
    castle.run("lab", "exec", "--network", `${NAME}-worker-1`, "--", "ip", "address", change, ...OTHERS);
  const shift = ["shift", "--to", "192.168.1.221"];
  const healthy = (what: string) => statusIs(castle, (status) => status.healthy, what);

  async function plan() {
    const { exitCode, stdout } = await castle.try(...shift, "--dry-run", "-o", "json");
    expect(exitCode).toBe(3);
    return planShape.parse(JSON.parse(stdout));
  }

  /** @returns the moment of its journal that it was killed at; it was run again, to its end */
  async function killedOnce(
    verb: keyof typeof MOMENTS,
    ...args: readonly string[]
  ): Promise<string | undefined> {
    const { at } = await killVerb(castle, [verb, ...args], seed.next(MOMENTS[verb]));
    await castle.run(verb, ...args);
    return at;
  }

  it("plans the shift: what is lost first, everybody's new address, the end of etcd", async () => {
    const { allowed, lost, machines, quorum } = await plan();
    expect({ allowed, lost, verdicts: quorum.map(({ verdict }) => verdict) }).toEqual({
      allowed: true,
      lost: ["photos (unclaimed)"],
      verdicts: ["end"],
    });
    expect(machines).toEqual([
      { name: `${NAME}-cp-1`, from: "192.168.1.211", address: "192.168.1.221" },
      { name: `${NAME}-worker-1`, from: "192.168.1.214", address: "192.168.1.224" },
    ]);
  });

  it("sees by ARP who has a new address already, and changes nothing", async () => {
    await address("add");
    try {
      expect(await plan()).toMatchObject({
        allowed: false,
        occupied: [{ who: "the VIP", address: "192.168.1.220" }],
      });
      const { exitCode, stdout } = await castle.try(...shift, "--yes", "-o", "json");
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([1, { code: "lifecycle/address-taken" }]);
    } finally {
      await address("delete");
    }
  });

  it("needs a yes, and names the volume when it asks for one", async () => {
    const { exitCode, stderr } = await castle.try(...shift);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("lose the persistent volumes photos (unclaimed)");
  });

  it("moves everything, killed on the way, with the credentials of before", async () => {
    const before = authorityOf(await castle.run("talosconfig"));
    expect(await killedOnce("shift", "--to", "192.168.1.221", "--yes")).toBeDefined();
    const { nodes, vip } = await healthy("healthy at its new addresses");
    expect(nodes.map(({ address }) => address)).toEqual(["192.168.1.221", "192.168.1.224"]);
    expect(vip).toEqual({ address: "192.168.1.220", holder: `${NAME}-cp-1` });
    expect(authorityOf(await castle.run("talosconfig"))).toBe(before);
    // Those that the store hands out elsewhere lead there too.
    expect(await castle.run("kubeconfig", "--lan")).toContain("https://192.168.1.220:6443");
    expect(await castle.run("talosconfig", "--lan")).toContain("- 192.168.1.221");
    expect(await castle.kubectl("get", "persistentvolumes", "-o", "name")).toBe("");
  });

  it("edited what says the addresses, and nothing else", async () => {
    const text = await readFile(join(castle.folder, "castle.yaml"), "utf8");
    expect(text).toBe(
      `castle: ${NAME}\nhypervisor: { lab: { name: ${NAME} } }\n` +
        "nodes: { controlPlanes: { count: 1, from: 192.168.1.221 }, workers: { count: 1, from: 192.168.1.224 } } # small\n" +
        "network: { vip: 192.168.1.220 }\n",
    );
  });

  it("becomes another castle where that is asked for, and keeps who it was", async () => {
    const before = authorityOf(await castle.run("talosconfig"));
    expect(await killedOnce("rebuild", "--new-identity", "--yes")).toBeDefined();
    await healthy("healthy with new secrets");
    expect(authorityOf(await castle.run("talosconfig"))).not.toBe(before);
    expect(await castle.run("secrets")).toContain("former-talos-secrets-");
  });

  it("is reset, killed on the way", async () => {
    expect(await killedOnce("reset", "--yes")).toBeDefined();
    const { exitCode } = await castle.try("status");
    expect(exitCode).toBe(3);
  });
});

function authorityOf(talosconfig: string): string | undefined {
  return /^\s*ca: (\S+)$/m.exec(talosconfig)?.[1];
}
