import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CastleError } from "../errors/castle-error.ts";
import { type InfisicalServer, serveInfisical } from "../lab/infisical/server.ts";
import { Secret } from "../support/secret.ts";
import { encryptedFileStore } from "./encrypted-file.ts";
import { ageIdentity } from "./identity.ts";
import { infisicalStore } from "./infisical.ts";
import { patientStore } from "./patient.ts";

describe("a store whose server may be away", () => {
  let folder = "";
  let server: InfisicalServer;
  let told: CastleError[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-patient-"));
    told = [];
    await comeBack();
  });
  afterEach(async () => {
    await server.close().catch(() => {});
    await rm(folder, { recursive: true });
  });

  const comeBack = async (port = 0) => {
    server = await serveInfisical({ folder: join(folder, "server"), port });
  };
  const remote = () =>
    infisicalStore({
      url: server.url,
      project: server.project,
      environment: "prod",
      castle: "fortress",
      login: () => ({ clientId: server.clientId, clientSecret: new Secret(server.clientSecret) }),
    });
  /** A run on a machine; `strict` as commands that only look have it. */
  const run = (machine = "here", strict = false) => {
    const encrypted = (name: string) =>
      encryptedFileStore({
        path: join(folder, machine, name),
        identity: (locked) => ageIdentity(join(folder, machine, "identity"), undefined, locked),
        now: () => new Date(),
      });
    return patientStore({
      remote: remote(),
      copy: encrypted("copy"),
      waiting: encrypted("waiting"),
      forgetWaiting: () => rm(join(folder, machine, "waiting"), { force: true }),
      ...(strict ? {} : { tellAway: (away) => told.push(away) }),
    });
  };
  const port = () => Number(new URL(server.url).port);

  it("keeps what is put while nobody answers, says so once, and catches up", async () => {
    await server.close();
    const away = run();
    expect(await away.get("talos-secrets")).toBeUndefined();
    await away.put({ "talos-secrets": new Secret("bundle") });
    await away.put({ kubeconfig: new Secret("config") });
    expect((await away.get("kubeconfig"))?.reveal()).toBe("config");
    expect((await away.list()).map(({ name, pending }) => [name, pending])).toEqual([
      ["kubeconfig", true],
      ["talos-secrets", true],
    ]);
    expect(told.map(({ code }) => code)).toEqual(["secrets/unreachable"]);
    expect((await run().get("talos-secrets"))?.reveal()).toBe("bundle");

    await comeBack(port());
    expect((await run().sync()).toSorted()).toEqual(["kubeconfig", "talos-secrets"]);
    expect((await remote().get("kubeconfig"))?.reveal()).toBe("config");
    expect(await readdir(join(folder, "here"))).not.toContain("waiting");
    expect(await run().sync()).toEqual([]);
  });

  it("catches up by itself with the next thing that is asked of it", async () => {
    await server.close();
    await run().put({ "talos-secrets": new Secret("bundle") });
    await comeBack(port());
    await run().put({ kubeconfig: new Secret("config") });
    expect((await remote().list()).map(({ name }) => name)).toEqual(["kubeconfig", "talos-secrets"]);
  });

  it("knows what the server held when it goes away, on the machine that saw it", async () => {
    await remote().put({ "talos-secrets": new Secret("bundle") });
    await run().get("talos-secrets");
    await server.close();
    expect((await run("here", true).get("talos-secrets"))?.reveal()).toBe("bundle");
    await expect(run("elsewhere", true).get("talos-secrets")).rejects.toMatchObject({
      code: "secrets/unreachable",
    });
    expect(await run("elsewhere").get("talos-secrets")).toBeUndefined();
    await expect(run().sync()).rejects.toMatchObject({ code: "secrets/unreachable" });
  });

  it("mixes no two castles that got one name while they could not see each other", async () => {
    await server.close();
    await run("one").put({ "talos-secrets": new Secret("of one"), kubeconfig: new Secret("to one") });
    await comeBack(port());
    await run("two").put({ "talos-secrets": new Secret("of two") });
    const conflict = { code: "secrets/conflict" };
    await expect(run("one").sync()).rejects.toMatchObject(conflict);
    await expect(run("one").get("kubeconfig")).rejects.toMatchObject(conflict);
    const again = run("one").put({ kubeconfig: new Secret("again") });
    await expect(again).rejects.toMatchObject(conflict);
    expect((await remote().list()).map(({ name }) => name)).toEqual(["talos-secrets"]);
    expect((await remote().get("talos-secrets"))?.reveal()).toBe("of two");
  });

  it("is not patient with a server that refuses", async () => {
    const { clientSecret } = server;
    server = { ...server, clientSecret: "wrong" };
    await expect(run().put({ kubeconfig: new Secret("x") })).rejects.toMatchObject({
      code: "secrets/refused",
    });
    expect(told).toEqual([]);
    server = { ...server, clientSecret };
  });
});
