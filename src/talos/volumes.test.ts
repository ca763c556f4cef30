import { describe, expect, it } from "vitest";
import { fortress } from "../../test/fixtures/talos/castle.ts";
import type { DiskEncryption } from "../spec/castle.ts";
import { Secret } from "../support/secret.ts";
import { labGround, rackGround } from "./ground.ts";
import { needsDiskKey, volumes } from "./volumes.ts";

const lab = labGround({ registry: "http://192.168.1.1:5000", discovery: "http://192.168.1.1:3000" });
const rack = rackGround({ schematic: "3765", version: "v1.11.5" });
const encrypted = (key: DiskEncryption["key"], state = false) => ({
  ...fortress,
  disks: { encryption: { key, state } },
});

describe("encrypted volumes", () => {
  it("are /var alone, unless STATE is asked for", () => {
    expect(volumes(encrypted("nodeID"), rack, undefined)).toMatchObject([{ name: "EPHEMERAL" }]);
    expect(volumes(encrypted("nodeID", true), rack, undefined)).toMatchObject([
      { name: "EPHEMERAL" },
      { name: "STATE" },
    ]);
  });

  it.each<[string, DiskEncryption["key"], object]>([
    ["the node's own id", "nodeID", { nodeID: {} }],
    ["its TPM", "tpm", { tpm: {} }],
    ["a KMS", { kms: "https://kms.lan:4443" }, { kms: { endpoint: "https://kms.lan:4443" } }],
    ["the store's key", "static", { static: { passphrase: "from the store" } }],
  ])("are opened by %s", (_whose, key, slot) => {
    expect(volumes(encrypted(key), rack, new Secret("from the store"))).toEqual([
      {
        apiVersion: "v1alpha1",
        kind: "VolumeConfig",
        name: "EPHEMERAL",
        encryption: { provider: "luks2", keys: [{ slot: 0, ...slot }] },
      },
    ]);
  });

  it("are none in a lab, nor where nobody asks", () => {
    expect(volumes(encrypted("nodeID"), lab, undefined)).toEqual([]);
    expect(volumes(fortress, rack, undefined)).toEqual([]);
  });

  it("need the store's key only where it is static and the disk is one", () => {
    expect(needsDiskKey(encrypted("static"), rack)).toBe(true);
    expect(needsDiskKey(encrypted("static"), lab)).toBe(false);
    expect(needsDiskKey(encrypted("tpm"), rack)).toBe(false);
  });

  it("are never rendered with a key that is missing", () => {
    expect(() => volumes(encrypted("static"), rack, undefined)).toThrow("static key");
  });
});
