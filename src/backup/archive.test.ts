import { randomBytes } from "node:crypto";
import { generateIdentity } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../support/secret.ts";
import { openBackup, sealBackup } from "./archive.ts";

const manifest = {
  format: 1,
  castle: "fortress",
  taken: "2026-01-02T03:04:05.678Z",
  cluster: "cluster-id",
  authority: "ab12",
  talos: "v1.11.5",
  kubernetes: "v1.34.4",
  etcd: { revision: "42", objects: 7 },
} as const;
const snapshot = randomBytes(70_000);

const refused = (code: string) => expect.objectContaining({ code });

describe("a backup's file", () => {
  let identity: Secret;
  let sealed: Buffer;
  const open = (bytes: Uint8Array, key = identity) => openBackup(bytes, key, "x.age");

  beforeAll(async () => {
    identity = new Secret(await generateIdentity());
    const secrets = new Map([["talos-secrets", new Secret("top secret")]]);
    sealed = Buffer.from(
      await sealBackup({ manifest, spec: "castle: fortress\n", secrets, snapshot }, identity),
    );
  });

  it("gives back what was put in, and shows none of it", async () => {
    const opened = await open(sealed);
    expect(opened.manifest).toMatchObject(manifest);
    expect(opened.spec).toBe("castle: fortress\n");
    expect(opened.secrets.get("talos-secrets")?.reveal()).toBe("top secret");
    expect(opened.snapshot.equals(snapshot)).toBe(true);
    for (const text of ["top secret", "fortress"]) expect(sealed.includes(text)).toBe(false);
  });

  it("is refused wherever it was cut", async () => {
    const cuts = [0, 1, 50, 200, sealed.length - 1, sealed.length - 17, sealed.length >> 1];
    for (const cut of cuts)
      await expect(open(sealed.subarray(0, cut))).rejects.toThrow(refused("backup/damaged"));
  });

  it("is refused wherever a bit of it was changed", async () => {
    for (const at of [0, 3, 30, 130, 190, 250, sealed.length >> 1, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const code = await open(changed).then(
        () => "opened",
        (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
      );
      // In the header's stanza the change may hit what tells for whom it is.
      expect(["backup/damaged", "backup/key"]).toContain(code);
    }
  });

  it("is refused with another key, by name", async () => {
    const other = new Secret(await generateIdentity());
    await expect(open(sealed, other)).rejects.toThrow(refused("backup/key"));
  });

  it("is refused where the right key opens something else", async () => {
    const { Encrypter, identityToRecipient } = await import("age-encryption");
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(identity.reveal()));
    await expect(open(await encrypter.encrypt("a letter"))).rejects.toThrow(refused("backup/damaged"));
  });
});
