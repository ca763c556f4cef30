import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Secret } from "../../src/support/secret.ts";
import { poll } from "../../src/support/poll.ts";
import { TalosClient } from "../../src/talos/client.ts";
import { etcdMembers, etcdStatus } from "../../src/talos/etcd.ts";
import { events } from "../../src/talos/events.ts";
import { machineStatuses, members } from "../../src/talos/kinds.ts";
import { kubeconfig } from "../../src/talos/kubeconfig.ts";
import { serviceLog } from "../../src/talos/logs.ts";
import { bootstrap, reset, version } from "../../src/talos/machine.ts";
import { getResource, listResources, watchResources } from "../../src/talos/resources.ts";
import { services } from "../../src/talos/services.ts";
import { machineState } from "../../src/talos/stage.ts";
import { standing } from "../../src/talos/standing.ts";
import { readCredentials } from "../../src/talos/talosconfig.ts";
import { holdsAddress } from "../../src/talos/vip.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { CastleCommand } from "./castle-command.ts";

const VIP = "192.168.1.210";
const NODE = "t-api-cp-1";

/** Every call of the machine API that castle makes, answered by a real Talos node. */
describe.skipIf(!canRunLab)("the machine API of a real node", () => {
  let castle: CastleCommand;
  let client: TalosClient;
  let endpoint: { host: string; port: number };
  let talosconfig: Secret;

  beforeAll(async () => {
    castle = await CastleCommand.prepare("t-api");
    await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 0 } }\n");
    await castle.run("up");
    talosconfig = new Secret(await castle.run("talosconfig"));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(talosconfig.reveal())?.[1]);
    endpoint = { host: "127.0.0.1", port };
    client = new TalosClient({ endpoint, name: NODE, credentials: readCredentials(talosconfig) });
  });

  afterAll(async () => {
    client.close();
    await castle.remove();
  });

  it("tells version, stage, services and the VIP", async () => {
    expect(await version(client)).toMatchObject({ talos: "v1.11.5", platform: "container" });
    expect(await machineState(client)).toMatchObject({ stage: "running" });
    expect(await services(client)).toContainEqual(
      expect.objectContaining({ id: "etcd", state: "Running", health: "healthy" }),
    );
    expect(await holdsAddress(client, VIP)).toBe(true);
    expect(await holdsAddress(client, "192.168.1.99")).toBe(false);
  });

  it("tells etcd's members and who leads", async () => {
    const found = await etcdMembers(client);
    expect(found).toMatchObject([{ name: NODE, learner: false, peerUrls: ["https://192.168.1.211:2380"] }]);
    const status = await etcdStatus(client);
    expect(status).toMatchObject({ id: found[0]?.id, leader: found[0]?.id, learner: false, errors: [] });
    expect(status.sizeInUse).toBeGreaterThan(0);
  });

  it("says that it was bootstrapped already", async () => {
    expect(await bootstrap(client)).toBe("already-bootstrapped");
  });

  it("gives resources, lists and watches them", async () => {
    expect((await getResource(client, machineStatuses, "machine"))?.spec.stage).toBe("running");
    expect(await getResource(client, machineStatuses, "nothing")).toBeUndefined();
    expect((await listResources(client, members)).map(({ id }) => id)).toEqual([NODE]);
    const seen: string[] = [];
    for await (const change of watchResources(client, members, { deadline: 10_000 })) {
      if (change.type === "set") seen.push(change.resource.id);
      if (change.type === "current") break;
    }
    expect(seen).toEqual([NODE]);
  });

  it("streams events, logs and a kubeconfig", async () => {
    const past: string[] = [];
    const enough = new AbortController();
    for await (const event of events(client, { tail: -1, signal: enough.signal, deadline: 10_000 })) {
      past.push(event.type);
      if (past.includes("service") && past.includes("stage")) break;
    }
    expect(past).toContain("service");
    const lines: string[] = [];
    for await (const line of serviceLog(client, "etcd", { tail: 5, deadline: 10_000 })) lines.push(line);
    expect(lines.length).toBeGreaterThan(0);
    expect((await kubeconfig(client)).reveal()).toContain(`server: https://${VIP}:6443`);
  });

  it("tells friend from stranger", async () => {
    const credentials = readCredentials(talosconfig);
    expect(await standing({ endpoint, credentials })).toMatchObject({ kind: "ours", stage: "running" });
    const stranger = new TalosClient({ endpoint, name: NODE });
    await expect(version(stranger)).rejects.toMatchObject({ code: "talos/not-in-maintenance" });
    stranger.close();
  });

  it("is on again with its disks after lab down --keep-disks and lab up", async () => {
    await castle.run("lab", "down", "--keep-disks", "--yes");
    await castle.run("lab", "up");
    const credentials = readCredentials(talosconfig);
    const back = await poll(
      async () => {
        const found = await standing({ endpoint, credentials });
        return found.kind === "ours" && found.stage === "running" ? found : undefined;
      },
      { every: 500, within: 120_000, onTimeout: () => new Error(`${NODE} did not come back`) },
    );
    expect(back).toMatchObject({ kind: "ours", stage: "running" });
  });

  it("is wiped by a reset, and off: the next start finds a machine without a configuration", async () => {
    const states = z.object({ machines: z.array(z.object({ name: z.string(), state: z.string() })) });
    await reset(client, { graceful: false, reboot: false });
    await poll(
      async () => {
        const { machines } = await castle.ask(states, "lab", "status");
        return machines[0]?.state === "stopped" ? true : undefined;
      },
      { every: 500, within: 120_000, onTimeout: () => new Error(`${NODE} did not stop after its reset`) },
    );
    await castle.run("lab", "power", "on", NODE);
    const credentials = readCredentials(talosconfig);
    const after = await poll(
      async () => {
        const found = await standing({ endpoint, credentials });
        return found.kind === "silent" ? undefined : found;
      },
      { every: 500, within: 60_000, onTimeout: () => new Error(`${NODE} did not come back`) },
    );
    expect(after).toEqual({ kind: "new" });
    expect(await readFile(castle.labs.log, "utf8")).toContain("ended: reset");
  });
});
