import { expect, it } from "vitest";
import { changed, healthy, memberId, running } from "../../test/fixtures/testimony/healthy.ts";
import { quorumOf } from "./quorum.ts";
import type { Testimony } from "./testimony.ts";
import { waysOut } from "./way-out.ts";

/** One control plane is left, and has no leader; the others' machines are as told. */
function alone(machine: "stopped" | "missing"): Testimony {
  const one = changed(healthy(), {
    node: { name: "fortress-cp-1", etcd: { ...running(memberId(0)), healthy: false } },
  });
  const nodes = one.nodes.map(({ etcd, ...node }) =>
    node.name === "fortress-cp-1" || etcd === undefined
      ? { ...node, ...(etcd === undefined ? {} : { etcd }) }
      : { ...node, machine, answer: "silent" as const },
  );
  return { ...one, nodes, etcd: undefined, kubernetes: undefined };
}

it("has nothing to say while quorum holds", () => {
  expect(quorumOf(healthy())).toMatchObject({ state: "holds", standing: { voters: 3, healthy: 3 } });
  expect(waysOut(healthy(), quorumOf(healthy()))).toEqual([]);
});

it("is silent before there is an etcd", () => {
  const nodes = healthy().nodes.map(({ name, machine }) => ({
    name,
    machine,
    answer: "maintenance" as const,
  }));
  const unborn = { ...healthy(), nodes, etcd: undefined, kubernetes: undefined };
  expect(quorumOf(unborn)).toEqual({ state: "unknown", standing: undefined });
});

it("names the power switch first, where that is enough", () => {
  const quorum = quorumOf(alone("stopped"));
  expect(quorum).toMatchObject({
    state: "lost",
    standing: { voters: 3, healthy: 1, quorum: 2, tolerance: -1 },
  });
  expect(waysOut(alone("stopped"), quorum).map(({ command }) => command)).toEqual([
    "castle up",
    "castle restore BACKUP",
    "castle rebuild --yes",
  ]);
  expect(waysOut(alone("stopped"), quorum)[0]?.loses).toContain("fortress-cp-2, fortress-cp-3");
});

it("names restore and rebuild, and what they lose, where machines are gone", () => {
  const ways = waysOut(alone("missing"), quorumOf(alone("missing")));
  expect(ways.map(({ command }) => command)).toEqual(["castle restore BACKUP", "castle rebuild --yes"]);
  expect(ways.every(({ loses }) => loses !== "")).toBe(true);
});
