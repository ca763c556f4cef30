import { describe, expect, it } from "vitest";
import { serviceHistory } from "./service-history.ts";
import { connectedNodes } from "../../test/fixtures/talos/connected.ts";

const connected = connectedNodes();

const event = (state: string, seconds: number) => ({ msg: state, state, ts: { seconds, nanos: 0 } });

async function historyOf(state: string, ...events: object[]) {
  const ServiceList = (_: unknown, answer: (error: null, answer: object) => void) =>
    answer(null, { messages: [{ services: [{ id: "etcd", state, events: { events } }] }] });
  const client = await connected({ machine: { ServiceList } });
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
