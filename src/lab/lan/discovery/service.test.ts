import { type Client, type ClientReadableStream, credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { poll } from "../../../support/poll.ts";
import { type DiscoveryService, addressBytes, clusterClient, serveDiscovery } from "./service.ts";

interface Message {
  affiliates: { id: string; data: Buffer; endpoints: Buffer[] }[];
  deleted: boolean;
}

let service: DiscoveryService;
let client: Client;

beforeEach(async () => {
  service = await serveDiscovery({ host: "127.0.0.1", port: 0 });
  client = newClient();
});

afterEach(async () => {
  client.close();
  await service.close();
});

function newClient(): Client {
  const Cluster = clusterClient();
  return new Cluster(`127.0.0.1:${service.port}`, credentials.createInsecure());
}

function call<T>(method: string, request: object): Promise<T> {
  const { [method]: definition } = clusterClient().service;
  if (definition === undefined) throw new Error(`no method ${method}`);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize as (bytes: Buffer) => T,
      request,
      (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error("no response"));
      },
    );
  });
}

function watch(clusterId: string, through: Client = client) {
  const definition = clusterClient().service["Watch"];
  if (definition === undefined) throw new Error("no Watch");
  const messages: Message[] = [];
  const stream: ClientReadableStream<Message> = through.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize as (bytes: Buffer) => Message,
    { clusterId },
  );
  const errors: { code?: number }[] = [];
  stream.on("data", (message: Message) => messages.push(message));
  stream.on("error", (error: { code?: number }) => errors.push(error));
  return { stream, messages, errors };
}

const until = (condition: () => boolean) =>
  poll(async () => (condition() ? true : undefined), {
    every: 5,
    within: 5_000,
    onTimeout: () => new Error("the condition never came true"),
  });

const data = (id: string, seconds = 60) => ({
  clusterId: "c1",
  affiliateId: id,
  affiliateData: Buffer.from(`data of ${id}`),
  affiliateEndpoints: [Buffer.from(`endpoint of ${id}`)],
  ttl: { seconds, nanos: 0 },
});

describe("the discovery service over gRPC", () => {
  it("tells a client its address and sends it nowhere else", async () => {
    const hello = await call<{ clientIp: Buffer }>("Hello", { clusterId: "c1", clientVersion: "v1.11.5" });
    expect([...hello.clientIp]).toEqual([127, 0, 0, 1]);
    expect(hello).not.toHaveProperty("redirect");
  });

  it("lists what was updated, keeps data that an update leaves out", async () => {
    await call("AffiliateUpdate", data("cp1"));
    await call("AffiliateUpdate", {
      clusterId: "c1",
      affiliateId: "cp1",
      affiliateEndpoints: [Buffer.from("another")],
      ttl: { seconds: 60 },
    });
    const { affiliates } = await call<Message>("List", { clusterId: "c1" });
    expect(affiliates.map(({ data, endpoints }) => [String(data), endpoints.map(String)])).toEqual([
      ["data of cp1", ["endpoint of cp1", "another"]],
    ]);
  });

  it("streams a snapshot even if empty, then changes and deletions", async () => {
    const { stream, messages } = watch("c1");
    await until(() => messages.length === 1);
    await call("AffiliateUpdate", data("cp1"));
    await call("AffiliateUpdate", { ...data("other"), clusterId: "c2" });
    await call("AffiliateDelete", { clusterId: "c1", affiliateId: "cp1" });
    await until(() => messages.length === 3);
    expect(messages.map(({ affiliates, deleted }) => [affiliates.map(({ id }) => id), deleted])).toEqual([
      [[], false],
      [["cp1"], false],
      [["cp1"], true],
    ]);
    stream.cancel();
  });

  it("tells watchers when a time to live has passed, without being asked", async () => {
    const { stream, messages } = watch("c1");
    await call("AffiliateUpdate", { ...data("cp1"), ttl: { seconds: 0, nanos: 50_000_000 } });
    await until(() => messages.some(({ deleted }) => deleted));
    expect(messages.at(-1)?.affiliates.map(({ id }) => id)).toEqual(["cp1"]);
    stream.cancel();
  });

  it("goes on when a watcher goes away, politely or not", async () => {
    const polite = watch("c1");
    const other = newClient();
    const rude = watch("c1", other);
    const stays = watch("c1");
    await until(() => [polite, rude, stays].every(({ messages }) => messages.length === 1));
    polite.stream.cancel();
    other.close();
    rude.stream.destroy();
    await call("AffiliateUpdate", data("cp1"));
    await until(() => stays.messages.length === 2);
    expect(polite.messages).toHaveLength(1);
    stays.stream.cancel();
  });

  it.each([
    ["no time to live", { ...data("cp1"), ttl: undefined }],
    ["data above the limit", { ...data("cp1"), affiliateData: Buffer.alloc(2049) }],
    ["no cluster", { ...data("cp1"), clusterId: "" }],
  ])("refuses %s", async (_, request) => {
    await expect(call("AffiliateUpdate", request)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it("refuses to watch without a cluster", async () => {
    const { errors } = watch("");
    await until(() => errors.length === 1);
    expect(errors[0]?.code).toBe(status.INVALID_ARGUMENT);
  });
});

describe("addressBytes", () => {
  it.each([
    ["192.168.1.211:4321", [192, 168, 1, 211]],
    ["[::ffff:10.0.0.1]:1", [10, 0, 0, 1]],
    ["[fe80::1]:80", [0xfe, 0x80, ...Array.from({ length: 13 }, () => 0), 1]],
  ])("%s", (peer, expected) => {
    expect([...addressBytes(peer)]).toEqual(expected);
  });
});
