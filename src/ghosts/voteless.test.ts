import { describe, expect, it } from "vitest";
import { changed, healthy } from "../../test/fixtures/testimony/healthy.ts";
import type { NodeTestimony, Testimony } from "./testimony.ts";
import { unheardControlPlanes } from "./voteless.ts";

/** The castle with its second control plane's machine and machine API as told, and no word of its etcd. */
function untold(changes: Pick<NodeTestimony, "answer"> & Partial<NodeTestimony>): Testimony {
  const testimony = healthy();
  const nodes = testimony.nodes.map((node) =>
    node.name === "fortress-cp-2" ? { name: node.name, machine: "running" as const, ...changes } : node,
  );
  return { ...testimony, nodes };
}

describe("unheardControlPlanes", () => {
  it("names nobody where everybody tells", () => {
    expect(unheardControlPlanes(healthy())).toEqual([]);
  });

  it("names a control plane that is on and silent, or tells of all but its etcd", () => {
    const sentence = "fortress-cp-2 is on and did not tell of its etcd in time";
    expect(unheardControlPlanes(untold({ answer: "silent" }))).toEqual([sentence]);
    expect(unheardControlPlanes(untold({ answer: "trusted" }))).toEqual([sentence]);
  });

  it("names neither one that is off, nor one of another castle, nor a worker", () => {
    expect(unheardControlPlanes(untold({ answer: "silent", machine: "stopped" }))).toEqual([]);
    expect(unheardControlPlanes(untold({ answer: "foreign" }))).toEqual([]);
    const worker = changed(healthy(), { node: { name: "fortress-worker-1", answer: "silent" } });
    expect(unheardControlPlanes(worker)).toEqual([]);
  });
});
