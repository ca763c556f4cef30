import { EventEmitter, once } from "node:events";
import { gzipSync } from "node:zlib";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { etcdMembers, etcdRemoveMember, etcdStatus } from "./etcd.ts";
import { type MachineEvent, events } from "./events.ts";
import { members } from "./kinds.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { serviceLog } from "./logs.ts";
import { listResources, watchResources } from "./resources.ts";
import { message } from "./schema.ts";
import { holdsAddress } from "./vip.ts";
import { connectedNodes } from "../../test/fixtures/talos/connected.ts";

type Stream = ServerWritableStream<object, object>;

const connected = connectedNodes();

const send =
  (...parts: object[]) =>
  (call: Stream) => {
    for (const part of parts) call.write(part);
    call.end();
  };

function any(name: string, content: object): object {
  return { type_url: `talos/runtime/${name}`, value: message(name).serialize(content) };
}

function resource(id: string, yamlSpec: string): object {
  return { metadata: { id, version: "1", phase: "running" }, spec: { yamlSpec } };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

it("tells a node's events without the empty one that opens the stream", async () => {
  const client = await connected({
    machine: {
      Events: send(
        { data: { type_url: "type.googleapis.com/google.protobuf.Empty", value: Buffer.alloc(0) } },
        {
          id: "a",
          actorId: "x",
          data: any("machine.PhaseEvent", { phase: "startEverything", action: "STOP" }),
        },
        {
          id: "b",
          data: any("machine.ServiceStateEvent", { service: "etcd", action: "RUNNING", message: "up" }),
        },
        {
          id: "c",
          data: any("machine.MachineStatusEvent", {
            stage: "BOOTING",
            status: { unmetConditions: [{ name: "nodeReady" }] },
          }),
        },
        { id: "d", data: { type_url: "talos/runtime/machine.NewEvent", value: Buffer.alloc(0) } },
      ),
    },
  });
  expect(await collect(events(client, { tail: -1 }))).toEqual([
    { id: "a", actor: "x", type: "phase", phase: "startEverything", action: "STOP" },
    { id: "b", actor: "", type: "service", service: "etcd", action: "RUNNING", message: "up" },
    {
      id: "c",
      actor: "",
      type: "stage",
      stage: "BOOTING",
      ready: false,
      unmet: [{ name: "nodeReady", reason: "" }],
    },
    { id: "d", actor: "", type: "other", name: "machine.NewEvent" },
  ] satisfies MachineEvent[]);
});

it("cancels the call when the loop over a stream is left", async () => {
  const server = new EventEmitter();
  const cancelled = once(server, "cancelled");
  const client = await connected({
    machine: {
      Events: (call: Stream) => {
        call.on("cancelled", () => server.emit("cancelled"));
        call.write({ id: "a", data: any("machine.TaskEvent", { task: "first" }) });
      },
    },
  });
  for await (const event of events(client)) {
    expect(event).toMatchObject({ type: "task", task: "first" });
    break;
  }
  await cancelled;
});

it("ends a stream as interrupted when its signal fires", async () => {
  const client = await connected({ machine: { Events: (call: Stream) => call.write({ data: null }) } });
  const abort = new AbortController();
  const all = collect(events(client, { signal: abort.signal }));
  setImmediate(() => abort.abort());
  await expect(all).rejects.toMatchObject({ code: "command/interrupted" });
});

it("reads a kubeconfig out of Talos' unpadded archive", async () => {
  const text = "apiVersion: v1\nkind: Config\n";
  const header = Buffer.alloc(512);
  header.write("kubeconfig");
  header.write(text.length.toString(8).padStart(11, "0"), 124);
  const archive = gzipSync(Buffer.concat([header, Buffer.from(text)]));
  const client = await connected({
    machine: { Kubeconfig: send({ bytes: archive.subarray(0, 20) }, { bytes: archive.subarray(20) }) },
  });
  const read = await kubeconfig(client);
  expect(read.reveal()).toBe(text);
  expect(String(read)).not.toContain("Config");
});

it("refuses an archive that ends too early", async () => {
  const client = await connected({ machine: { Kubeconfig: send({ bytes: gzipSync(Buffer.alloc(100)) }) } });
  await expect(kubeconfig(client)).rejects.toMatchObject({ code: "talos/malformed" });
});

it("cuts logs into lines, also where a line or a letter is split between two parts", async () => {
  const bytes = Buffer.from("erste Zeile\nzweite für alle\nletzte");
  const inside = bytes.indexOf("ü") + 1;
  const client = await connected({
    machine: { Logs: send({ bytes: bytes.subarray(0, inside) }, { bytes: bytes.subarray(inside) }) },
  });
  expect(await collect(serviceLog(client, "etcd"))).toEqual(["erste Zeile", "zweite für alle", "letzte"]);
});

it("keeps every digit of a member's id", async () => {
  const removed: unknown[] = [];
  const client = await connected({
    machine: {
      EtcdMemberList: (_call: object, reply: (error: null, answer: object) => void) => {
        const members = [
          { id: "13803658152347727308", hostname: "fortress-cp-2", peerUrls: ["https://192.168.1.212:2380"] },
          { id: "10501334649042878790", hostname: "fortress-cp-1", isLearner: true },
        ];
        reply(null, { messages: [{ members }] });
      },
      EtcdStatus: (_call: object, reply: (error: null, answer: object) => void) =>
        reply(null, {
          messages: [{ memberStatus: { memberId: "1", leader: "13803658152347727308", raftIndex: "42" } }],
        }),
      EtcdRemoveMemberByID: (call: { request: object }, reply: (error: null, answer: object) => void) => {
        removed.push(call.request);
        reply(null, { messages: [{}] });
      },
    },
  });
  const [first, second] = await etcdMembers(client);
  expect(first).toMatchObject({ id: "91bc3c398fb3c146", name: "fortress-cp-1", learner: true });
  expect(second).toMatchObject({
    id: "bf9071f4639c75cc",
    learner: false,
    peerUrls: ["https://192.168.1.212:2380"],
  });
  expect(await etcdStatus(client)).toMatchObject({
    id: "0000000000000001",
    leader: "bf9071f4639c75cc",
    raftIndex: 42n,
  });
  await etcdRemoveMember(client, "bf9071f4639c75cc");
  expect(removed).toEqual([{ memberId: "13803658152347727308" }]);
});

const MEMBER =
  "nodeId: abc\naddresses:\n    - 192.168.1.211\nhostname: fortress-cp-1\nmachineType: controlplane\n";

it("reads resources from their YAML", async () => {
  const client = await connected({
    resources: { List: send({ resource: resource("fortress-cp-1", MEMBER) }) },
  });
  const [member] = await listResources(client, members);
  expect(member).toEqual({
    id: "fortress-cp-1",
    version: "1",
    phase: "running",
    spec: {
      nodeId: "abc",
      hostname: "fortress-cp-1",
      machineType: "controlplane",
      addresses: ["192.168.1.211"],
    },
  });
});

it("names the resource that is of another form than expected", async () => {
  const client = await connected({ resources: { List: send({ resource: resource("x", "nodeId: [1]\n") }) } });
  const listing = listResources(client, members);
  await expect(listing).rejects.toMatchObject({ code: "talos/malformed" });
  await expect(listing).rejects.toThrow("Members.cluster.talos.dev");
});

it("watches resources from what exists to what changes", async () => {
  const seen = resource("fortress-cp-1", MEMBER);
  const client = await connected({
    resources: {
      Watch: send(
        {},
        { event: [{ eventType: "CREATED", resource: seen }] },
        { event: [{ eventType: "BOOTSTRAPPED" }] },
        { event: [{ eventType: "UPDATED", resource: seen }, { eventType: "NOOP" }] },
        { event: [{ eventType: "DESTROYED", resource: seen }] },
        { event: [{ eventType: "ERRORED", error: "buffer overrun" }] },
      ),
    },
  });
  const types: string[] = [];
  await expect(async () => {
    for await (const change of watchResources(client, members)) types.push(change.type);
  }).rejects.toThrow("buffer overrun");
  expect(types).toEqual(["set", "current", "set", "gone"]);
});

it("does not take an address for another one that begins like it", async () => {
  const held = "address: 192.168.1.210/32\nlinkName: eth0\n";
  const client = await connected({
    resources: { List: send({ resource: resource("eth0/192.168.1.210/32", held) }) },
  });
  expect(await holdsAddress(client, "192.168.1.210")).toBe(true);
  expect(await holdsAddress(client, "192.168.1.21")).toBe(false);
});
