import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  oneof,
  option,
  property,
  record,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { type Affiliate, type Change, DiscoveryStore, RefusedError, limits } from "./store.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function storeAt(start = 0) {
  const clock = { now: start };
  return { clock, store: new DiscoveryStore(() => clock.now) };
}

function update(affiliate: string, more: { data?: Uint8Array; endpoints?: Uint8Array[]; ttl?: number } = {}) {
  return {
    cluster: "c1",
    affiliate,
    data: "data" in more ? more.data : bytes(1),
    endpoints: more.endpoints ?? [],
    ttl: more.ttl ?? 1000,
  };
}

describe("affiliates", () => {
  it("are kept apart by cluster", () => {
    const { store } = storeAt();
    store.update(update("cp1"));
    expect(store.list("c1").map(({ id }) => id)).toEqual(["cp1"]);
    expect(store.list("c2")).toEqual([]);
  });

  it("keep their data when an update brings none, and gain its endpoints once", () => {
    const { store } = storeAt();
    store.update(update("cp1", { data: bytes(7), endpoints: [bytes(1, 1)] }));
    store.update({ ...update("cp1"), data: undefined, endpoints: [bytes(1, 1), bytes(2, 2)] });
    expect(store.list("c1")).toEqual([{ id: "cp1", data: bytes(7), endpoints: [bytes(1, 1), bytes(2, 2)] }]);
  });

  it("end with their time to live and not before", () => {
    const { clock, store } = storeAt();
    store.update(update("cp1", { ttl: 1000 }));
    clock.now = 999;
    expect(store.list("c1")).toHaveLength(1);
    expect(store.nextExpiry()).toBe(1000);
    clock.now = 1000;
    expect(store.list("c1")).toEqual([]);
    expect(store.nextExpiry()).toBeUndefined();
  });

  it("are not kept alive by what others say of them", () => {
    const { clock, store } = storeAt();
    store.update(update("cp1", { ttl: 1000 }));
    clock.now = 900;
    store.update({ ...update("cp1"), data: undefined, endpoints: [bytes(3)], ttl: 5000 });
    clock.now = 1000;
    expect(store.list("c1")).toEqual([]);
  });

  it("lose an endpoint when that runs out", () => {
    const { clock, store } = storeAt();
    store.update(update("cp1", { ttl: 5000 }));
    store.update({ ...update("cp1"), data: undefined, endpoints: [bytes(3)], ttl: 100 });
    clock.now = 100;
    expect(store.list("c1").map(({ endpoints }) => endpoints)).toEqual([[]]);
  });
});

describe("refusals", () => {
  it.each([
    ["an empty cluster id", { ...update("cp1"), cluster: "" }],
    ["an empty affiliate id", update("")],
    ["an id that is too long", update("x".repeat(limits.id + 1))],
    ["data that is too long", update("cp1", { data: new Uint8Array(limits.data + 1) })],
    ["an endpoint that is too long", update("cp1", { endpoints: [new Uint8Array(limits.endpoint + 1)] })],
    ["no time to live", update("cp1", { ttl: 0 })],
    ["a time to live that is no number", update("cp1", { ttl: Number.NaN })],
    ["a time to live that is too long", update("cp1", { ttl: limits.ttl + 1 })],
  ])("%s is invalid and changes nothing", (_, request) => {
    const { store } = storeAt();
    expect(() => store.update(request)).toThrow(expect.objectContaining({ refusal: "invalid" }));
    expect(store.list("c1")).toEqual([]);
  });

  it("one endpoint too many leaves the affiliate as it was", () => {
    const { store } = storeAt();
    const endpoints = Array.from({ length: limits.endpoints }, (_, index) => bytes(index));
    store.update(update("cp1", { data: bytes(1), endpoints }));
    expect(() => store.update(update("cp1", { data: bytes(2), endpoints: [bytes(200)] }))).toThrow(
      expect.objectContaining({ refusal: "full" }),
    );
    expect(store.list("c1")).toEqual([{ id: "cp1", data: bytes(1), endpoints }]);
  });

  it("one affiliate too many is refused, an update of a known one is not", () => {
    const { store } = storeAt();
    for (let index = 0; index < limits.affiliates; index += 1) store.update(update(`n${index}`));
    expect(() => store.update(update("one-more"))).toThrow(RefusedError);
    expect(() => store.update(update("n0", { data: bytes(9) }))).not.toThrow();
  });
});

describe("watchers", () => {
  it("hear of changes, of nothing when nothing changed, and of deletions once", () => {
    const { clock, store } = storeAt();
    const heard: Change[] = [];
    store.update(update("cp1"));
    const { snapshot, stop } = store.watch("c1", (change) => heard.push(change));
    expect(snapshot.map(({ id }) => id)).toEqual(["cp1"]);
    clock.now = 10;
    store.update(update("cp1"));
    expect(heard).toEqual([]);
    store.update(update("cp1", { data: bytes(2) }));
    store.delete("c1", "cp1");
    store.delete("c1", "cp1");
    stop();
    store.update(update("cp2"));
    expect(heard).toEqual([
      { kind: "changed", affiliate: { id: "cp1", data: bytes(2), endpoints: [] } },
      { kind: "deleted", id: "cp1" },
    ]);
  });
});

const commands = array(
  oneof(
    record({
      kind: constant("update" as const),
      cluster: constantFrom("c1", "c2"),
      affiliate: constantFrom("a", "b", "c"),
      data: option(uint8Array({ minLength: 1, maxLength: 2 }), { nil: undefined }),
      endpoints: array(uint8Array({ minLength: 1, maxLength: 1, max: 3 }), { maxLength: 3 }),
      ttl: integer({ min: 1, max: 50 }),
    }),
    record({
      kind: constant("delete" as const),
      cluster: constantFrom("c1", "c2"),
      affiliate: constantFrom("a", "b", "c"),
    }),
    record({ kind: constant("wait" as const), milliseconds: integer({ min: 1, max: 40 }) }),
  ),
  { maxLength: 40 },
);

describe("a watcher that applies what it hears", () => {
  it("always sees what List shows, if sweeps come when they are due", () => {
    assert(
      property(commands, (list) => {
        const { clock, store } = storeAt();
        const seen = new Map<string, Affiliate>();
        store.watch("c1", (change) => {
          if (change.kind === "deleted") seen.delete(change.id);
          else seen.set(change.affiliate.id, change.affiliate);
        });
        for (const command of list) {
          if (command.kind === "wait") clock.now += command.milliseconds;
          else if (command.kind === "delete") store.delete(command.cluster, command.affiliate);
          else store.update(command);
          const listed = store.list("c1");
          const sorted = [...seen.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
          expect(sorted).toEqual(listed.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
          expect(store.nextExpiry() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(clock.now);
        }
      }),
    );
  });

  it("sees everything gone when every time to live has passed", () => {
    assert(
      property(commands, (list) => {
        const { clock, store } = storeAt();
        for (const command of list) {
          if (command.kind === "wait") clock.now += command.milliseconds;
          else if (command.kind === "update") store.update(command);
        }
        clock.now += 51;
        expect(store.list("c1")).toEqual([]);
        expect(store.list("c2")).toEqual([]);
        expect(store.nextExpiry()).toBeUndefined();
      }),
    );
  });
});
