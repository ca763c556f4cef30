import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "../support/secret.ts";
import { encryptedFileStore } from "./encrypted-file.ts";
import { ageIdentity } from "./identity.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-secrets-"));
});
afterEach(() => rm(folder, { recursive: true }));

const store = (identityFile = "identity") =>
  encryptedFileStore(join(folder, "x.secrets.age"), (locked) =>
    ageIdentity(join(folder, identityFile), undefined, locked),
  );

test("what was put comes back, and the file holds no clear text", async () => {
  await store().put({ "talos-secrets": new Secret("the bundle") });
  await store().put({ kubeconfig: new Secret("the config") });
  expect((await store().get("talos-secrets"))?.reveal()).toBe("the bundle");
  expect((await store().get("kubeconfig"))?.reveal()).toBe("the config");
  expect(await store().get("talosconfig")).toBeUndefined();
  expect(await readFile(join(folder, "x.secrets.age"), "utf8")).not.toContain("bundle");
  expect((await stat(join(folder, "identity"))).mode & 0o777).toBe(0o600);
});

test("putting the same again leaves the file as it is, byte for byte", async () => {
  await store().put({ kubeconfig: new Secret("same") });
  const before = await readFile(join(folder, "x.secrets.age"), "utf8");
  await store().put({ kubeconfig: new Secret("same") });
  expect(await readFile(join(folder, "x.secrets.age"), "utf8")).toBe(before);
});

test("another identity, and a damaged file, are refused with what to do", async () => {
  await store().put({ kubeconfig: new Secret("mine") });
  await ageIdentity(join(folder, "other"), undefined);
  await expect(store("other").get("kubeconfig")).rejects.toMatchObject({ code: "secrets/unreadable" });
  await writeFile(join(folder, "x.secrets.age"), "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n");
  await expect(store().put({ kubeconfig: new Secret("new") })).rejects.toMatchObject({
    code: "secrets/unreadable",
  });
});

test("no identity is made up for a file that another one has locked", async () => {
  await store().put({ kubeconfig: new Secret("mine") });
  await expect(store("lost").get("kubeconfig")).rejects.toMatchObject({
    code: "secrets/identity",
    message: expect.stringContaining(join(folder, "lost")),
  });
  await expect(stat(join(folder, "lost"))).rejects.toMatchObject({ code: "ENOENT" });
});
