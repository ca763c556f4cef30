import { describe, expect, it } from "vitest";
import { testCastle } from "../../test/contract/infra-castle.ts";
import { type Judged, type Judging, refuseUnfit } from "./fitness.ts";

const identity = { id: "cluster-1", authority: "ab12" };
const backup: Judged = {
  name: "b.age",
  identity,
  manifest: {
    format: 1,
    castle: "fortress",
    taken: "2026-06-01T00:00:00.000Z",
    cluster: identity.id,
    authority: identity.authority,
    talos: "v1.11.5",
    kubernetes: "v1.34.4",
    etcd: { revision: "1", objects: 1 },
    files: {},
  },
};
const judging: Judging = {
  castle: testCastle(),
  known: identity,
  newest: new Date(backup.manifest.taken),
  now: new Date("2026-06-02T00:00:00Z"),
  allowOld: false,
};

describe("a backup's fitness", () => {
  it("is given for the castle's own newest, also where nothing is left that knows the castle", () => {
    expect(() => refuseUnfit(backup, judging)).not.toThrow();
    expect(() => refuseUnfit(backup, { ...judging, known: undefined })).not.toThrow();
  });

  it.each<[string, Partial<Judged["manifest"]>, Partial<Judging>, string]>([
    ["another name", { castle: "keep" }, {}, "backup/foreign: castle keep"],
    ["another cluster", {}, { known: { ...identity, id: "cluster-2" } }, "backup/foreign: cluster-2"],
    [
      "another authority",
      {},
      { known: { ...identity, authority: "cd34" } },
      "backup/foreign: another castle",
    ],
    ["secrets of another castle", { cluster: "cluster-3" }, {}, "backup/foreign: the secrets in it"],
    ["another Talos", { talos: "v1.10.0" }, {}, "backup/version: Talos v1.10.0, and the spec says v1.11.5"],
    ["another Kubernetes", { kubernetes: "v1.33.0" }, {}, "backup/version: Kubernetes v1.33.0"],
    ["a newer beside it", {}, { newest: new Date("2026-06-01T12:00:00Z") }, "backup/old: 2026-06-01T12"],
    ["more than a week", {}, { now: new Date("2026-06-08T00:00:01Z") }, "backup/old: 7 days"],
  ])("is not: %s", (_, manifest, change, told) => {
    const [code = "", words = ""] = told.split(": ");
    const judged = { ...backup, manifest: { ...backup.manifest, ...manifest } };
    const refused = expect.objectContaining({ code, message: expect.stringContaining(words) });
    expect(() => refuseUnfit(judged, { ...judging, ...change })).toThrow(refused);
    if (code !== "backup/old") return;
    expect(() => refuseUnfit(judged, { ...judging, ...change, allowOld: true })).not.toThrow();
  });
});
