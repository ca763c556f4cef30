import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { diseases } from "../../src/doctor/diagnose.ts";
import { census } from "../../src/lab/machine/census.ts";
import { poll } from "../../src/support/poll.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";
import { infect } from "./ward/infect.ts";
import { wardDiagnoses } from "./ward/objects.ts";
import { stopAfterFailure } from "./one-castle.ts";

const NAME = "t-ward";

const healthShape = z.object({
  healthy: z.boolean(),
  milliseconds: z.number(),
  checks: z.array(
    z.object({
      id: z.string(),
      verdict: z.string(),
      unknown: z.string().optional(),
      findings: z.array(z.object({ object: z.string(), message: z.string() })).default([]),
    }),
  ),
});
const diagnosesShape = z.object({
  diagnoses: z.array(
    z.object({
      disease: z.string(),
      object: z.string(),
      message: z.string(),
      evidence: z.array(z.string()),
      command: z.string().optional(),
    }),
  ),
  unknown: z.array(z.object({ disease: z.string(), reason: z.string() })),
});
type Diagnoses = z.infer<typeof diagnosesShape>;

/** Milliseconds that a castle has to settle: pods come and go, Flux looks again. */
const SETTLED = 150_000;

describe.skipIf(!canRunLab)("the doctor at the bed of a castle in the lab", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("gitops: {}\n");
  });

  afterAll(async () => {
    await castle.remove();
  });

  stopAfterFailure();

  async function diagnoses(...args: readonly string[]): Promise<Diagnoses> {
    const { stdout, stderr } = await castle.try("doctor", "-o", "json", ...args);
    if (stdout === "") throw new Error(stderr);
    return diagnosesShape.parse(JSON.parse(stdout));
  }

  const names = ({ diagnoses: found }: Diagnoses) =>
    found
      // True or not by what else this machine does meanwhile: of all findings the only one that is not the ward's.
      .filter(({ disease }) => disease !== "etcd-slow-disk")
      .map(({ disease, object }) => `${disease}: ${object}`)
      .toSorted();

  /** Looks until the doctor says exactly that, or for the last time. */
  async function settled(expected: readonly string[]): Promise<Diagnoses> {
    let last: Diagnoses | undefined;
    return poll(
      async () => {
        last = await diagnoses();
        return JSON.stringify(names(last)) === JSON.stringify(expected) && last.unknown.length === 0
          ? last
          : undefined;
      },
      {
        every: 1_000,
        within: SETTLED,
        onTimeout: () => new Error(`the doctor's last words: ${JSON.stringify(last, undefined, 1)}`),
      },
    );
  }

  it("finds nothing in a castle that was just raised, and judges all of it", async () => {
    await castle.run("up", "--install-tools");
    const found = await settled([]);
    expect(names(found)).toEqual([]);
  });

  it("is healthy in one look of health", async () => {
    const health = await poll(
      async () => {
        const looked = healthShape.parse(JSON.parse((await castle.try("health", "-o", "json")).stdout));
        console.log(`castle health of five nodes: ${looked.milliseconds} ms`);
        // A busy machine may not answer all within health's few seconds.
        return looked.checks.some(({ unknown }) => unknown !== undefined) ? undefined : looked;
      },
      { every: 1_000, within: SETTLED, onTimeout: () => new Error("health was never told everything") },
    );
    expect(health.checks.filter(({ verdict }) => verdict !== "healthy")).toEqual([]);
    expect(health.checks.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["flux", "releases", "dns", "load-balancers", "certificates"]),
    );
    expect(health.healthy).toBe(true);
  });

  it("says what a kubeconfig without rights does not let it see, instead of calling it healthy", async () => {
    await castle.kubectl("create", "serviceaccount", "visitor");
    const token = (await castle.kubectl("create", "token", "visitor")).trim();
    const admin = z
      .looseObject({ users: z.array(z.object({ name: z.string(), user: z.unknown() })) })
      .parse(parse(await castle.kubectl("config", "view", "--raw", "--minify")));
    const file = join(castle.folder, "visitor.kubeconfig");
    const users = admin.users.map(({ name }) => ({ name, user: { token } }));
    await writeFile(file, stringify({ ...admin, users }), { mode: 0o600 });
    const { exitCode } = await castle.try("doctor", "--kubeconfig", file);
    expect(exitCode).toBe(3);
    const found = await diagnoses("--kubeconfig", file);
    expect(found.diagnoses).toEqual([]);
    expect(found.unknown.map(({ disease }) => disease)).toEqual(
      diseases.filter(({ reads }) => reads !== undefined).map(({ id }) => id),
    );
    for (const { reason } of found.unknown) expect(reason).toContain("forbidden");
  });

  let sick: Diagnoses;
  it("finds every sickness of the ward by its name, at the right object, and nothing else", async () => {
    await infect(castle);
    const expected = wardDiagnoses(NAME, `${NAME}-worker-2`);
    sick = await settled(expected);
    expect(names(sick)).toEqual(expected);
    for (const { evidence, command } of sick.diagnoses) {
      expect(evidence.length).toBeGreaterThan(0);
      expect(command).toBeTruthy();
    }
  });

  it("walks a wrong port down to the socket that is open instead", () => {
    const deaf = sick.diagnoses.find(({ object }) => object === "Service ward/deaf");
    expect(deaf?.evidence).toEqual([
      "Service ward/deaf: port 80, targetPort 8001",
      expect.stringMatching(/^→ EndpointSlice ward\/deaf-\S+: 10\.244\.\d+\.\d+:8001$/),
      expect.stringMatching(/^→ Pod ward\/well-\S+ on t-ward-\S+: listens on 8000$/),
    ]);
  });

  it("names commands that mend", async () => {
    const mended = ["Service ward/deaf", "Kustomization ward/asleep", `Node ${NAME}-worker-2`];
    for (const { object, command = "" } of sick.diagnoses.filter((one) => mended.includes(one.object))) {
      expect(`${object}: ${command}`).toMatch(/: castle kubectl -- /);
      // As a shell takes the words apart; no other quotes are in them.
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? "",
      );
      await castle.run(...words.slice(1));
    }
    const left = wardDiagnoses(NAME, `${NAME}-worker-2`).filter(
      (name) => !mended.some((object) => name.endsWith(`: ${object}`)),
    );
    // Awake, it applies what is in the repository's root, as any other does.
    expect(names(await settled(left))).toEqual(left);
  });

  it("goes and leaves nothing", async () => {
    await castle.run("down", "--yes");
    expect(await census({ labs: { prefix: NAME }, states: castle.labs.states })).toEqual([]);
  });
});
