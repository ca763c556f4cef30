import { createServer } from "node:net";
import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { type CastleName, type FakeNode, credentials, fakeNode } from "../../test/fixtures/talos/node.ts";
import { TalosClient } from "./client.ts";
import { bootstrap, version } from "./machine.ts";
import { waitMaintenance } from "./maintenance.ts";
import { machineState } from "./stage.ts";

type Unary = (call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => void;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function node(...args: Parameters<typeof fakeNode>): Promise<FakeNode> {
  const started = await fakeNode(...args);
  stops.push(() => started.stop());
  return started;
}

function client(port: number, castle?: CastleName): TalosClient {
  const made = new TalosClient({
    endpoint: { host: "127.0.0.1", port },
    name: "fortress-cp-1",
    ...(castle === undefined ? {} : { credentials: credentials(castle) }),
  });
  stops.push(() => made.close());
  return made;
}

const OURS = "fortress";

const Version: Unary = (call, reply) => {
  const asked = call.metadata.get("node").join();
  reply(null, {
    messages: [{ version: { tag: "v1.11.5", arch: "amd64" }, platform: { name: asked || "container" } }],
  });
};

const refuse =
  (code: status, details: string): Unary =>
  (_call, reply) =>
    reply({ code, details });

const stage =
  (...stages: string[]): Unary =>
  (_call, reply) => {
    const now = stages.length > 1 ? stages.shift() : stages[0];
    const yamlSpec = `stage: ${now}\nstatus:\n    ready: true\n    unmetConditions: []\n`;
    reply(null, { resource: { metadata: { id: "machine", version: "1" }, spec: { yamlSpec } } });
  };

describe("calls", () => {
  it("are answered over mTLS", async () => {
    const { port } = await node({ machine: { Version } });
    expect(await version(client(port, OURS))).toEqual({
      talos: "v1.11.5",
      architecture: "amd64",
      platform: "container",
    });
  });

  it("reach another node through the dialled one", async () => {
    const { port } = await node({ machine: { Version } });
    const answer = await version(client(port, OURS), { node: "192.168.1.214" });
    expect(answer.platform).toBe("192.168.1.214");
  });

  it("take a node that has etcd data for bootstrapped", async () => {
    const { port } = await node({
      machine: { Bootstrap: refuse(status.ALREADY_EXISTS, "etcd data directory is not empty") },
    });
    expect(await bootstrap(client(port, OURS))).toBe("already-bootstrapped");
  });

  it("report the error that a proxied node put into its answer", async () => {
    const messages = [{ metadata: { hostname: "fortress-w-1", error: "connection refused" } }];
    const { port } = await node({
      machine: { Version: (_call: object, reply: sendUnaryData<object>) => reply(null, { messages }) },
    });
    await expect(version(client(port, OURS))).rejects.toMatchObject({
      code: "talos/call-failed",
      message: "fortress-w-1 answered Version with: connection refused",
    });
  });

  it("find a node that comes up after the first tries", async () => {
    const early = await fakeNode({});
    const { port } = early;
    early.stop();
    const calling = client(port, OURS);
    await expect(version(calling)).rejects.toMatchObject({
      code: "talos/unreachable",
      message: `fortress-cp-1 does not answer Version: connect ECONNREFUSED 127.0.0.1:${port}`,
    });
    await node({ machine: { Version } }, { port });
    await expect
      .poll(async () => await version(calling).catch(() => undefined), { timeout: 10_000 })
      .toBeDefined();
  });

  it("dial anew after a silent deadline", async () => {
    const sockets: { destroy(): void }[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, "127.0.0.1", () => {
        const bound = silent.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
    const calling = client(port, OURS);
    await expect(version(calling, { deadline: 500 })).rejects.toMatchObject({
      code: "talos/unreachable",
      message: "fortress-cp-1 did not answer Version within 500 ms",
    });
    await expect(version(calling, { deadline: 500 })).rejects.toMatchObject({ code: "talos/unreachable" });
    await expect.poll(() => sockets.length).toBe(2);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it("end when their signal fires", async () => {
    const { port } = await node({ machine: { Version: () => undefined } });
    const abort = new AbortController();
    const asked = version(client(port, OURS), { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: "command/interrupted", exitCode: 130 });
    await expect(version(client(port, OURS), { signal: abort.signal })).rejects.toMatchObject({
      code: "command/interrupted",
    });
  });
});

describe("errors", () => {
  it.each([
    [status.FAILED_PRECONDITION, "bootstrap is not available yet", "talos/not-ready"],
    [status.FAILED_PRECONDITION, "method is not supported in container mode", "talos/unsupported"],
    [status.UNIMPLEMENTED, "kubeconfig is only available on control plane nodes", "talos/unsupported"],
    [status.PERMISSION_DENIED, "not authorized", "talos/refused"],
    [status.NOT_FOUND, "no such thing", "talos/not-found"],
    [status.UNAVAILABLE, "etcd is not running", "talos/unreachable"],
    [status.UNKNOWN, "disk on fire", "talos/call-failed"],
  ])("of gRPC code %i become castle's own", async (code, details, expected) => {
    const { port } = await node({ machine: { Bootstrap: refuse(code, details) } });
    const failure = bootstrap(client(port, OURS));
    await expect(failure).rejects.toMatchObject({ code: expected });
    await expect(failure).rejects.toThrow("fortress-cp-1");
  });

  it("name a node whose authority is another castle's", async () => {
    const { port } = await node({ machine: { Version } }, { castle: "stranger" });
    await expect(version(client(port, OURS))).rejects.toMatchObject({ code: "talos/refused", exitCode: 1 });
  });

  it("name a configured node that is asked as if it were new", async () => {
    const { port } = await node({ machine: { Version } });
    await expect(version(client(port))).rejects.toMatchObject({ code: "talos/not-in-maintenance" });
  });
});

describe("maintenance mode", () => {
  it("is waited for through the stages of booting", async () => {
    const { port } = await node(
      { resources: { Get: stage("booting", "booting", "maintenance") } },
      { castle: "stranger", maintenance: true },
    );
    await waitMaintenance(client(port), { within: 5_000 });
    expect(await machineState(client(port))).toEqual({ stage: "maintenance", ready: true, unmet: [] });
  });

  it("is given up on in time, saying what was seen last", async () => {
    const { port } = await node({ resources: { Get: stage("installing") } }, { maintenance: true });
    await expect(waitMaintenance(client(port), { within: 300 })).rejects.toMatchObject({
      code: "talos/unreachable",
      message: "fortress-cp-1 did not reach maintenance mode within 300 ms: its stage is installing",
    });
  });

  it("is not waited for on a node that has a configuration", async () => {
    const { port } = await node({ resources: { Get: stage("running") } });
    await expect(waitMaintenance(client(port), { within: 5_000 })).rejects.toMatchObject({
      code: "talos/not-in-maintenance",
    });
  });
});
