import { afterEach, describe, expect, it } from "vitest";
import { credentials, fakeNode } from "../../test/fixtures/talos/node.ts";
import { TalosClient } from "./client.ts";
import { serviceHistory } from "./service-history.ts";

type Handlers = Parameters<typeof fakeNode>[0];

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function connected(machine: NonNullable<Handlers["machine"]>): Promise<TalosClient> {
  const node = await fakeNode({ machine });
  const client = new TalosClient({
    endpoint: { host: "127.0.0.1", port: node.port },
    name: "fortress-cp-1",
    credentials: credentials("fortress"),
  });
  stops.push(
    () => client.close(),
    () => node.stop(),
  );
  return client;
}

const event = (state: string, seconds: number) => ({ msg: state, state, ts: { seconds, nanos: 0 } });

async function historyOf(state: string, ...events: object[]) {
  const client = await connected({
    ServiceList: (_: unknown, answer: (error: null, answer: object) => void) =>
      answer(null, { messages: [{ services: [{ id: "etcd", state, events: { events } }] }] }),
  });
  return serviceHistory(client, "etcd");
}

describe("a service's history", () => {
  it("tells since when it is what it is, and when it was started", async () => {
    const history = await historyOf(
      "Preparing",
      event("Starting", 100),
      event("Waiting", 101),
      event("Preparing", 105),
      event("Preparing", 109),
    );
    expect(history).toEqual({ state: "Preparing", since: new Date(105_000), started: new Date(100_000) });
  });

  it("does not take the end of a program for a new start", async () => {
    const history = await historyOf(
      "Waiting",
      event("Starting", 100),
      event("Running", 110),
      event("Waiting", 120),
    );
    expect(history).toMatchObject({ since: new Date(120_000), started: new Date(100_000) });
  });

  it("says what a node does not remember any more", async () => {
    expect(await historyOf("Running")).toEqual({ state: "Running", since: undefined, started: undefined });
  });
});
