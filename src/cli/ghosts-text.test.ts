import { expect, it } from "vitest";
import { changed, healthy, memberId, preparing } from "../../test/fixtures/testimony/healthy.ts";
import { classify } from "../ghosts/classify.ts";
import { quorumOf } from "../ghosts/quorum.ts";
import type { Testimony } from "../ghosts/testimony.ts";
import { lookText } from "./ghosts-text.ts";

const text = (testimony: Testimony) =>
  lookText({
    testimony,
    ghosts: classify(testimony),
    quorum: quorumOf(testimony),
    milliseconds: 430,
  });

it("says little of a castle that is well", () => {
  expect(text(healthy())).toBe("No ghosts (0.4s)\n  etcd: 3 voters, 3 healthy, quorum 2, tolerance 1");
});

it("tells class, name, object, evidence, arithmetic and cure", () => {
  const seed = changed(
    changed(healthy(), { node: { name: "fortress-cp-2", etcd: preparing(31, "unhealthy-cluster") } }),
    { member: { id: memberId(1), name: "old-cp-2" } },
  );
  expect(text(seed)).toBe(
    `✗ G2 old-cp-2: A member under another name holds the address of a node of the spec
    etcd     voter 2222222222222222, name old-cp-2, peer 192.168.1.212
    spec     192.168.1.212 belongs to fortress-cp-2
    machine  fortress-cp-2: etcd is Preparing for 31 s: it has no data and waits to join; unhealthy cluster
  remove 2222222222222222: 3 voters, 2 healthy, quorum 2, tolerance 0 → 2 voters, 2 healthy, quorum 2, tolerance 0
  add fortress-cp-2: 2 voters, 2 healthy, quorum 2, tolerance 0 → 3 voters, 3 healthy, quorum 2, tolerance 1
  → remove member 2222222222222222 from etcd
1 ghost (0.4s)
  etcd: 3 voters, 2 healthy, quorum 2, tolerance 0
Next: castle ghosts --cure`,
  );
});

it("calls joining what needs time, with the age at which it becomes a ghost", () => {
  const joining = changed(healthy(), { node: { name: "fortress-cp-2", etcd: preparing(12.4) } });
  expect(text(joining)).toContain("… fortress-cp-2 is joining, 12 s (at 60 s a ghost, G1:");
  expect(text(joining)).toContain("No ghosts");
});
