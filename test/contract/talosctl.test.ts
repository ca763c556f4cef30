import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { DiskEncryption } from "../../src/spec/castle.ts";
import { Secret } from "../../src/support/secret.ts";
import { run } from "../../src/support/run.ts";
import { renderConfigs, writeConfigs } from "../../src/talos/config.ts";
import type { Ground } from "../../src/talos/ground.ts";
import { labGround, rackGround } from "../../src/talos/ground.ts";
import { generateSecrets } from "../../src/talos/secrets.ts";
import type { Talosctl } from "../../src/talos/talosctl.ts";
import { aimTalosconfig, readCredentials } from "../../src/talos/talosconfig.ts";
import { partOrSkip } from "../fixtures/parts.ts";
import { fortress, fortressNode } from "../fixtures/talos/castle.ts";

const found = await partOrSkip("talosctl");
const path = found ?? "talosctl";

const lab = labGround({ registry: "http://192.168.1.1:5000", discovery: "http://192.168.1.1:3000" });
const rack = rackGround({
  schematic: "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d32b4ba",
  version: "v1.11.5",
});

describe.skipIf(found === undefined)("talosctl", () => {
  let tool: Talosctl;
  let secrets: Secret;
  beforeAll(async () => {
    tool = { path, folder: await mkdtemp(join(tmpdir(), "castle-talosctl-")) };
    secrets = await generateSecrets(tool, fortress.talos.version);
  });
  afterAll(async () => {
    await rm(tool.folder, { recursive: true });
  });

  it("is of the version that the castle pins, so that its contract is known", async () => {
    expect((await run(path, ["version", "--client", "--short"])).stdout).toContain("v1.11.5");
  });

  it.each<[string, Ground]>([
    ["container", lab],
    ["metal", rack],
    ["cloud", rack],
  ])("takes every node's configuration as valid in %s mode", async (mode, ground) => {
    const folder = join(tool.folder, mode);
    const castle = { ...fortress, network: { ...fortress.network, ntp: ["192.168.1.2"] } };
    await writeConfigs(folder, await renderConfigs(tool, castle, ground, { bundle: secrets }));
    const files = await readdir(folder);
    expect(files).toEqual([...castle.nodes.map(({ name }) => `${name}.yaml`), "talosconfig"].sort());
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    for (const { name } of castle.nodes) {
      const said = await run(path, [
        "validate",
        "--strict",
        "--mode",
        mode,
        "--config",
        join(folder, `${name}.yaml`),
      ]);
      expect(said.stderr + said.stdout).toContain(`is valid for ${mode} mode`);
    }
  });

  it.each<[string, DiskEncryption]>([
    ["a static key", { key: "static", state: false }],
    ["the node's id", { key: "nodeID", state: true }],
    ["a TPM", { key: "tpm", state: true }],
    ["a KMS", { key: { kms: "https://kms.lan:4443" }, state: true }],
  ])("takes disks that are opened by %s, on the metal", async (_what, encryption) => {
    const folder = await mkdtemp(join(tool.folder, "disks-"));
    const castle = { ...fortress, disks: { encryption }, nodes: [fortressNode("controlplane", 1)] };
    const keys = { bundle: secrets, diskKey: new Secret("only in the store") };
    await writeConfigs(folder, await renderConfigs(tool, castle, rack, keys));
    const file = join(folder, "fortress-cp-1.yaml");
    const said = await run(path, ["validate", "--strict", "--mode", "metal", "--config", file]);
    expect(said.stderr + said.stdout).toContain("is valid for metal mode");
    const volumes = parseAllDocuments(await readFile(file, "utf8"))
      .map((document): unknown => document.toJS())
      .filter((content) => JSON.stringify(content).includes("VolumeConfig"));
    expect(volumes).toHaveLength(encryption.state ? 2 : 1);
    expect(JSON.stringify(volumes).includes("only in the store")).toBe(encryption.key === "static");
  });

  it("gives the same bytes for the same castle, ground and secrets", async () => {
    const [once, again] = await Promise.all([
      renderConfigs(tool, fortress, lab, { bundle: secrets }),
      renderConfigs(tool, fortress, lab, { bundle: secrets }),
    ]);
    const reveal = (configs: typeof once) =>
      [...configs.nodes].map(([name, config]) => [name, config.reveal()]);
    expect(reveal(again)).toEqual(reveal(once));
  });

  it("merges the user's patches last", async () => {
    const talos = {
      ...fortress.talos,
      patches: [{ machine: { network: { hostname: "all" }, sysctls: { a: "1" } } }],
    };
    const nodes = [
      { ...fortressNode("worker", 1), patches: [{ machine: { network: { hostname: "own" } } }] },
    ];
    const { nodes: rendered } = await renderConfigs(tool, { ...fortress, talos, nodes }, lab, {
      bundle: secrets,
    });
    const config: unknown = parse(rendered.get("fortress-w-1")?.reveal() ?? "");
    expect(config).toMatchObject({ machine: { network: { hostname: "own" }, sysctls: { a: "1" } } });
  });

  it("names the patch that it cannot apply", async () => {
    const talos = { ...fortress.talos, patches: [{ machine: { netwrok: {} } }] };
    await expect(renderConfigs(tool, { ...fortress, talos }, lab, { bundle: secrets })).rejects.toMatchObject(
      {
        code: "talos/render-failed",
      },
    );
  });

  it("leaves nothing behind that holds secrets", async () => {
    expect((await readdir(tool.folder)).filter((name) => name.startsWith(".talosctl"))).toEqual([]);
  });

  it("makes a talosconfig that castle reads and aims, and talosctl reads back", async () => {
    const { talosconfig } = await renderConfigs(tool, fortress, lab, { bundle: secrets });
    expect(readCredentials(talosconfig).certificate).toContain("BEGIN CERTIFICATE");
    const aimed = aimTalosconfig(talosconfig, { endpoints: ["127.0.0.1:40001"], nodes: ["192.168.1.211"] });
    await writeConfigs(join(tool.folder, "aimed"), { nodes: new Map(), talosconfig: aimed });
    const file = join(tool.folder, "aimed", "talosconfig");
    const info = await run(path, ["config", "info", "--talosconfig", file, "--output", "json"]);
    expect(JSON.parse(info.stdout)).toMatchObject({
      endpoints: ["127.0.0.1:40001"],
      nodes: ["192.168.1.211"],
    });
    expect(await readFile(file, "utf8")).toBe(aimed.reveal());
  });
});
