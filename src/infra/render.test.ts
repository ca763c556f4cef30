import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { Castle } from "../spec/castle.ts";
import { parseSpec } from "../spec/parse.ts";
import { Secret } from "../support/secret.ts";
import type { ProxmoxConnection } from "./connection.ts";
import { render } from "./render.ts";

const TOKEN = "castle@pve!render=11111111-2222-3333-4444-555555555555";

async function example(name: "lab" | "rack"): Promise<Castle> {
  const file = new URL(`../../examples/${name}/castle.yaml`, import.meta.url);
  const parsed = parseSpec(await readFile(file, "utf8"), file.pathname);
  if ("faults" in parsed) throw new Error(`the ${name} example has faults`);
  return parsed.castle;
}

function connectionOf(castle: Castle): ProxmoxConnection {
  const { hosts, datastore, imageDatastore, bridge } = castle.hypervisor;
  const endpoint =
    castle.hypervisor.kind === "proxmox" ? castle.hypervisor.endpoint : "https://127.0.0.1:8006";
  const trust = { kind: "system" } as const;
  return { endpoint, token: new Secret(TOKEN), trust, hosts, datastore, imageDatastore, bridge };
}

describe("render", () => {
  it.each(["lab", "rack"] as const)("gives the recorded bytes for the %s example", async (name) => {
    const castle = await example(name);
    const file = new URL(`./golden/${name}.tf.json.golden`, import.meta.url).pathname;
    await expect(render(castle, connectionOf(castle))).toMatchFileSnapshot(file);
  });

  it("holds no token", async () => {
    const castle = await example("rack");
    expect(render(castle, connectionOf(castle))).not.toContain("11111111");
  });

  it("does not depend on the order of the nodes", async () => {
    const castle = await example("lab");
    const reversed = { ...castle, nodes: castle.nodes.toReversed() };
    expect(render(reversed, connectionOf(castle))).toBe(render(castle, connectionOf(castle)));
  });

  it("tags every machine as the castle's own", async () => {
    const castle = await example("lab");
    const text = render(castle, connectionOf(castle));
    expect(text.match(/"castle-fortress"/g)).toHaveLength(castle.nodes.length);
  });

  it("puts the cards on the network's VLAN", async () => {
    const castle = await example("rack");
    const tagged = { ...castle, network: { ...castle.network, vlan: 42 } };
    expect(render(tagged, connectionOf(castle))).toContain('"vlan_id": 42');
    expect(render(castle, connectionOf(castle))).toContain('"vlan_id": null');
  });

  it("promises an agent only where the extension is", async () => {
    const rack = await example("rack");
    const bare = { ...rack, talos: { ...rack.talos, extensions: [] } };
    expect(render(rack, connectionOf(rack))).toContain('"agent"');
    expect(render(bare, connectionOf(rack))).not.toContain('"agent"');
  });
});
