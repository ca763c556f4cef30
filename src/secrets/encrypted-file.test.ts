import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { secretStoreSuite } from "../../test/fixtures/secret-store-suite.ts";
import { Secret } from "../support/secret.ts";
import { encryptedFileStore } from "./encrypted-file.ts";
import { ageIdentity } from "./identity.ts";

describe("the encrypted file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-secrets-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  let opened = 0;
  const file = () => join(folder, "x.secrets.age");
  const store = (identityFile = "identity") =>
    encryptedFileStore({
      path: file(),
      identity: (locked) => {
        if (locked !== undefined) opened += 1;
        return ageIdentity(join(folder, identityFile), undefined, locked);
      },
      now: () => new Date(),
    });

  secretStoreSuite(() => () => store());

  it("holds no clear text, and its identity is for its owner alone", async () => {
    await store().put({ "talos-secrets": new Secret("the bundle") });
    expect(await readFile(file(), "utf8")).not.toContain("bundle");
    expect((await stat(join(folder, "identity"))).mode & 0o777).toBe(0o600);
  });

  it("stays as it is, byte for byte, when the same is put again", async () => {
    await store().put({ kubeconfig: new Secret("same") });
    const before = await readFile(file(), "utf8");
    await store().put({ kubeconfig: new Secret("same") });
    expect(await readFile(file(), "utf8")).toBe(before);
  });

  it("is opened once, and again only when another has written it", async () => {
    await store().put({ kubeconfig: new Secret("one") });
    opened = 0;
    const run = store();
    await run.get("kubeconfig");
    await run.put({ talosconfig: new Secret("two") });
    await run.get("talosconfig");
    expect(opened).toBe(1);
    await store().put({ talosconfig: new Secret("three") });
    opened = 0;
    expect((await run.get("talosconfig"))?.reveal()).toBe("three");
    expect(opened).toBe(1);
  });

  it("is refused to another identity, and where it is damaged, with what to do", async () => {
    await store().put({ kubeconfig: new Secret("mine") });
    await ageIdentity(join(folder, "other"), undefined);
    await expect(store("other").get("kubeconfig")).rejects.toMatchObject({ code: "secrets/unreadable" });
    await writeFile(file(), "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n");
    await expect(store().put({ kubeconfig: new Secret("new") })).rejects.toMatchObject({
      code: "secrets/unreadable",
    });
  });

  it("makes up no identity for a file that another one has locked", async () => {
    await store().put({ kubeconfig: new Secret("mine") });
    await expect(store("lost").get("kubeconfig")).rejects.toMatchObject({
      code: "secrets/identity",
      message: expect.stringContaining(join(folder, "lost")),
    });
    await expect(stat(join(folder, "lost"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
