import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { secretStoreSuite } from "../../test/fixtures/secret-store-suite.ts";
import { type InfisicalServer, serveInfisical } from "../lab/infisical/server.ts";
import { Secret } from "../support/secret.ts";
import { type InfisicalSettings, infisicalStore } from "./infisical.ts";

describe("Infisical, by its official SDK, against the stand-in", () => {
  let folder = "";
  let server: InfisicalServer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-infisical-"));
    server = await serveInfisical({ folder, port: 0 });
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const store = (change: Partial<InfisicalSettings> = {}) =>
    infisicalStore({
      url: server.url,
      project: server.project,
      environment: "prod",
      castle: "fortress",
      login: () => ({ clientId: server.clientId, clientSecret: new Secret(server.clientSecret) }),
      ...change,
    });

  secretStoreSuite(() => () => store());

  it("keeps castles of one project apart", async () => {
    await store().put({ "talos-secrets": new Secret("one") });
    await store({ castle: "keep" }).put({ "talos-secrets": new Secret("two") });
    expect((await store().get("talos-secrets"))?.reveal()).toBe("one");
    expect(await store({ castle: "keep", environment: "dev" }).get("talos-secrets")).toBeUndefined();
  });

  it("does not overwrite what another castle of that name kept a moment ago", async () => {
    const [one, two] = [store(), store()];
    await Promise.all([one.list(), two.list()]);
    await one.put({ "talos-secrets": new Secret("one") });
    await expect(two.put({ "talos-secrets": new Secret("two") })).rejects.toMatchObject({
      code: "secrets/conflict",
    });
    await two.put({ kubeconfig: new Secret("the same for both") });
    await one.put({ kubeconfig: new Secret("later") });
    expect((await store().get("kubeconfig"))?.reveal()).toBe("later");
  });

  it("outlives a restart of the server, in files for its owner alone", async () => {
    await store().put({ kubeconfig: new Secret("kept") });
    await server.close();
    server = await serveInfisical({ folder, port: 0 });
    expect((await store().get("kubeconfig"))?.reveal()).toBe("kept");
    expect(await readFile(join(folder, "vault.json"), "utf8")).toContain("kept");
    expect((await stat(join(folder, "vault.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "identity.json"))).mode & 0o777).toBe(0o600);
  });

  it("names what is refused, and what to do", async () => {
    const wrong = { clientId: server.clientId, clientSecret: new Secret("0".repeat(64)) };
    await expect(store({ login: () => wrong }).get("kubeconfig")).rejects.toMatchObject({
      code: "secrets/refused",
      message: expect.stringContaining("Invalid credentials"),
      hint: expect.stringContaining("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
    });
    await expect(store({ project: "nothing" }).list()).rejects.toMatchObject({
      code: "secrets/refused",
      hint: expect.stringContaining("project nothing"),
    });
    await expect(
      store({ environment: "production" }).put({ kubeconfig: new Secret("x") }),
    ).rejects.toMatchObject({ code: "secrets/refused", message: expect.stringContaining("production") });
    await expect(store({ castle: "no/folder" }).put({ kubeconfig: new Secret("x") })).rejects.toMatchObject({
      code: "secrets/refused",
      details: { status: 422 },
    });
  });

  // The SDK alone would try for longer than a test may take.
  it("says that nobody answers", async () => {
    await server.close();
    await expect(store().get("kubeconfig")).rejects.toMatchObject({
      code: "secrets/unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    server = await serveInfisical({ folder, port: 0 });
  });

  it("takes a server that fails for one that is away", async () => {
    await withServer(503, async (url) => {
      await expect(store({ url }).get("kubeconfig")).rejects.toMatchObject({ code: "secrets/unreachable" });
    });
  });
});

async function withServer(status: number, work: (url: string) => Promise<void>): Promise<void> {
  const broken: Server = createServer((_request, response) => {
    response.writeHead(status).end("upstream is down");
  });
  broken.listen(0, "127.0.0.1");
  await once(broken, "listening");
  try {
    const bound = broken.address();
    if (bound === null || typeof bound === "string") throw new Error("it listens on a port");
    await work(`http://127.0.0.1:${bound.port}`);
  } finally {
    broken.closeAllConnections();
    broken.close();
  }
}
