import { readFile, readdir, rm, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { exists } from "../../src/support/exists.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand, raisedShape } from "./castle-command.ts";
import { exposed, holds, secretsOf } from "./secrets.ts";
import { Witness } from "./witness.ts";

const listShape = z.object({
  secrets: z.array(z.object({ name: z.string(), pending: z.boolean() })),
  cluster: z.array(z.object({ name: z.string() })),
});
const errorShape = z.object({ code: z.string(), message: z.string(), hint: z.string() });
const loginShape = z.object({ kubeconfig: z.string(), talosconfig: z.string(), answers: z.literal(true) });
const syncedShape = z.object({ written: z.array(z.string()) });

const KEPT = ["kubeconfig", "talos-secrets", "talosconfig"];

/** A castle of one node whose secrets are in Infisical: its SDK is the real one, its server the lab's stand-in. */
describe.skipIf(!canRunLab)("a castle with its secrets in Infisical", () => {
  let castle: CastleCommand;
  let witness: Witness;
  let infisical: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-vault");
    infisical = await serve(castle, 0);
    await castle.spec(
      `nodes: { controlPlanes: { count: 1 }, workers: { count: 0 } }\nsecrets: { infisical: { project: ${infisical.project}, environment: prod, url: "${infisical.url}" } }\n`,
    );
    witness = new Witness();
  });

  afterAll(async () => {
    await witness?.leave();
    await infisical?.stop();
    await castle.remove();
  });

  it("is told within seconds what the store lacks or refuses, before anything is made", async () => {
    const missing = await castle.try("up", "-o", "json");
    expect(missing.exitCode).toBe(1);
    expect(errorShape.parse(JSON.parse(missing.stdout))).toMatchObject({
      code: "secrets/credentials",
      hint: expect.stringContaining("export INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"),
    });
    Object.assign(castle.env, infisical.credentials, { INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: "wrong" });
    const refused = errorShape.parse(JSON.parse((await castle.try("up", "-o", "json")).stdout));
    expect(refused).toMatchObject({
      code: "secrets/refused",
      message: expect.stringContaining("Invalid credentials"),
      hint: expect.stringContaining("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
    });
    // Not even its lab was started.
    expect(await census({ labs: { name: castle.name }, states: castle.labs.states })).toEqual([]);
  });

  it("rises although the store is away, says so at the end too, and keeps the secrets meanwhile", async () => {
    Object.assign(castle.env, infisical.credentials);
    await infisical.stop();
    const raised = await castle.ask(
      raisedShape.extend({
        warnings: z.array(z.object({ message: z.string(), hint: z.string().optional() })),
      }),
      "up",
      "--install-tools",
    );
    const away = raised.warnings.filter(({ message }) => message.includes("does not answer"));
    expect(away).toEqual([
      {
        message: expect.stringContaining(`Infisical at ${infisical.url}`),
        hint: expect.stringContaining("castle secrets sync"),
      },
    ]);
    const { exitCode, stdout } = await castle.try("secrets", "-o", "json");
    expect(exitCode).toBe(3);
    expect(listShape.parse(JSON.parse(stdout)).secrets).toEqual(
      KEPT.map((name) => expect.objectContaining({ name, pending: true })),
    );
    expect((await stat(join(castle.home, "secrets-waiting.age"))).mode & 0o777).toBe(0o600);
    expect((await castle.try("secrets", "sync")).exitCode).toBe(4);
    expect(await castle.kubectl("get", "nodes", "-o", "name")).toBe(`node/${castle.name}-cp-1`);
  });

  it("catches up once the store is back", async () => {
    infisical = await serve(castle, Number(new URL(infisical.url).port));
    expect((await castle.ask(syncedShape, "secrets", "sync")).written.toSorted()).toEqual(KEPT);
    expect((await castle.ask(listShape, "secrets")).secrets).toEqual(
      KEPT.map((name) => expect.objectContaining({ name, pending: false })),
    );
    expect(await exists(join(castle.home, "secrets-waiting.age"))).toBe(false);
    expect(await castle.ask(syncedShape, "secrets", "sync")).toEqual({ written: [] });
  });

  it("opens to another machine that has the spec and the store's credentials, and nothing else", async () => {
    const elsewhere = await castle.elsewhere();
    try {
      expect((await elsewhere.try("login")).stderr).toContain("secrets/credentials");
      Object.assign(elsewhere.env, infisical.credentials);
      const { kubeconfig, talosconfig } = await elsewhere.ask(loginShape, "login");
      for (const file of [kubeconfig, talosconfig]) expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await elsewhere.kubectl("get", "nodes", "-o", "name")).toBe(`node/${castle.name}-cp-1`);
      expect(await elsewhere.talosctl("etcd", "members")).toContain(`${castle.name}-cp-1`);
      const secrets = await secretsOf(castle);
      expect(elsewhere.outputs.filter((output) => holds(output, secrets))).toEqual([]);
      expect(await exposed(elsewhere.folder, secrets)).toEqual([]);
    } finally {
      await rm(elsewhere.folder, { recursive: true });
    }
  });

  it("keeps its secrets", async () => {
    const secrets = [...(await secretsOf(castle)), ...Object.values(infisical.credentials)];
    const texts = await Promise.all(
      (await readdir(join(castle.home, "journal"))).map(async (name) =>
        readFile(join(castle.home, "journal", name), "utf8"),
      ),
    );
    expect(texts.filter((text) => holds(text, secrets))).toEqual([]);
    expect(castle.outputs.filter((output) => holds(output, secrets))).toEqual([]);
    expect([...witness.commandLines].filter((line) => holds(line, secrets))).toEqual([]);
    for (const folder of [castle.home, join(castle.folder, "infisical")]) {
      expect(await exposed(folder, secrets)).toEqual([]);
    }
  });

  it("comes back the same when its home is lost and its machines are gone", async () => {
    const before = await castle.run("kubeconfig", "--lan");
    await castle.run("down", "--yes");
    await rm(join(castle.folder, ".castle"), { recursive: true });
    await castle.run("up");
    expect(await castle.run("kubeconfig", "--lan")).toBe(before);
    expect(await castle.kubectl("get", "nodes", "-o", "name")).toBe(`node/${castle.name}-cp-1`);
    await castle.run("down", "--yes");
    expect(await census({ labs: { name: castle.name }, states: castle.labs.states })).toEqual([]);
  });
});

/** `castle lab infisical`, until it is stopped. */
async function serve(castle: CastleCommand, port: number) {
  const process = castle.start("lab", "infisical", "--port", String(port));
  const ended = process.then((result) => result);
  let url = "";
  let project = "";
  for await (const line of createInterface({ input: process.stdout })) {
    url = /answers at (\S+)/.exec(line)?.[1] ?? url;
    project = /project: ([^,\s]+)/.exec(line)?.[1] ?? project;
    if (line.startsWith("credentials:")) break;
  }
  const environment = await readFile(join(castle.folder, "infisical", "environment"), "utf8");
  const credentials = Object.fromEntries(
    [...environment.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
  return {
    url,
    project,
    credentials,
    stop: async () => {
      process.kill("SIGTERM");
      await ended;
    },
  };
}
