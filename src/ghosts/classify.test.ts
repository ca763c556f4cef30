import { describe, expect, it } from "vitest";
import { changed, healthy, memberId, preparing, running } from "../../test/fixtures/testimony/healthy.ts";
import { ZOMBIES, zombies, zombiesEverywhere } from "../../test/fixtures/testimony/zombies-etcd-20967.ts";
import { classify, electorateOf } from "./classify.ts";
import type { Testimony } from "./testimony.ts";

const verdicts = (testimony: Testimony) =>
  classify(testimony).map(({ class: name, subject, state }) => `${name} ${subject} ${state.kind}`);

const silentNode = (name: string) =>
  changed(healthy(), { node: { name, machine: "stopped", answer: "silent" } });

/** fortress-cp-2's machine is gone, and what stands on its address wants to join. */
function joiner(...words: Parameters<typeof preparing>): Testimony {
  return changed(healthy(), { node: { name: "fortress-cp-2", etcd: preparing(...words) } });
}

/** The machine of old-cp-2 was replaced by fortress-cp-2 on the same address: the seed's story. */
function seed(): Testimony {
  return changed(joiner(5, "unhealthy-cluster"), { member: { id: memberId(1), name: "old-cp-2" } });
}

function withoutThird(testimony: Testimony): Testimony {
  return {
    ...testimony,
    etcd: testimony.etcd && {
      ...testimony.etcd,
      members: testimony.etcd.members.filter(({ id }) => id !== memberId(2)),
    },
  };
}

/** A learner on fortress-cp-2's address that never started. */
function learner(seconds: number | undefined): Testimony {
  const { etcd, ...rest } = joiner(3, "too-many-learners");
  const members = (etcd?.members ?? []).filter(({ id }) => id !== memberId(1));
  const unstarted = { id: "a".repeat(16), name: "", peers: ["192.168.1.212"], learner: true, seconds };
  return { ...rest, etcd: { agreed: true, contradictions: [], members: [...members, unstarted] } };
}

describe("no ghost", () => {
  it("in a healthy castle", () => expect(verdicts(healthy())).toEqual([]));

  it("while a control plane is powered off", () => {
    const { etcd: _, ...off } = { ...silentNode("fortress-cp-2").nodes[1] };
    const testimony = silentNode("fortress-cp-2");
    expect(off.answer).toBe("silent");
    expect(verdicts({ ...testimony, kubernetes: undefined })).toEqual([]);
  });

  it("while nobody tells of etcd", () => expect(verdicts({ ...healthy(), etcd: undefined })).toEqual([]));

  it("while a node is still in maintenance", () => {
    const { nodes, ...rest } = healthy();
    const fresh = nodes.map(({ name, machine }) => ({ name, machine, answer: "maintenance" as const }));
    expect(
      verdicts({ ...rest, nodes: fresh, etcd: undefined, discovery: [], kubernetes: undefined }),
    ).toEqual([]);
  });

  it.each(["Starting", "Waiting", "Preparing"])("while a node restarts with its data: %s", (state) => {
    const restarting = { state, seconds: 1, healthy: false, complaints: [] };
    expect(verdicts(changed(healthy(), { node: { name: "fortress-cp-2", etcd: restarting } }))).toEqual([]);
  });

  it("in a Node of a machine that lives, whoever it is", () => {
    const { kubernetes, ...rest } = healthy();
    const guest = { name: "guest", address: "192.168.1.219", ready: true };
    expect(verdicts({ ...rest, kubernetes: [...(kubernetes ?? []), guest] })).toEqual([]);
  });

  it("where it is castle's own credentials that nobody trusts", () => {
    const { nodes, ...rest } = healthy();
    const strangers = nodes.map(({ name, machine }) => ({ name, machine, answer: "foreign" as const }));
    expect(verdicts({ ...rest, nodes: strangers, etcd: undefined, discovery: undefined })).toEqual([]);
  });

  it("in what discovery hears of a node that calls itself otherwise", () => {
    const { discovery, ...rest } = changed(healthy(), {
      node: { name: "fortress-cp-2", hostname: "new-cp-2" },
    });
    const renamed = { name: "new-cp-2", addresses: ["192.168.1.212"], role: "controlplane" as const };
    expect(
      verdicts({ ...rest, discovery: [...(discovery ?? []), renamed] }).filter((one) => one.startsWith("G7")),
    ).toEqual([]);
  });

  it("in members that complain of somebody else's cluster", () => {
    const etcd = { ...running(memberId(1)), healthy: false, complaints: ["other-cluster"] as const };
    expect(verdicts(changed(healthy(), { node: { name: "fortress-cp-2", etcd } }))).toEqual([]);
  });

  it("while the first control plane is alone and the others wait their turn", () => {
    const { etcd, ...rest } = joiner(12, "unhealthy-cluster");
    const alone = etcd && { ...etcd, members: etcd.members.slice(0, 1) };
    expect(verdicts({ ...rest, etcd: alone })).toEqual([]);
  });
});

describe("G1: same name, empty disk", () => {
  it("joins at first", () => expect(verdicts(joiner(12))).toEqual(["G1 fortress-cp-2 joining"]));
  it("is a ghost at a minute", () => expect(verdicts(joiner(61))).toEqual(["G1 fortress-cp-2 ghost"]));
});

describe("G2: other name, same peer URL", () => {
  it("is the seed's ghost at once", () => {
    const [ghost] = classify(seed());
    expect(ghost).toMatchObject({
      class: "G2",
      subject: "old-cp-2",
      state: { kind: "ghost" },
      curable: true,
      cures: [{ kind: "remove-member", member: memberId(1) }],
    });
    expect(ghost?.quorum[0]).toMatchObject({
      before: { voters: 3, healthy: 2, tolerance: 0 },
      after: { voters: 2, healthy: 2, tolerance: 0 },
      verdict: "safe",
    });
    expect(ghost?.evidence.map(({ fact }) => fact)).toEqual([
      "voter 2222222222222222, name old-cp-2, peer 192.168.1.212",
      "192.168.1.212 belongs to fortress-cp-2",
      "fortress-cp-2: etcd is Preparing for 5 s: it has no data and waits to join; unhealthy cluster",
    ]);
  });

  it("is told by what the joiner calls itself, whatever the spec calls it", () => {
    const renamed = changed(joiner(5, "peer-exists"), {
      node: { name: "fortress-cp-2", hostname: "new-cp-2" },
    });
    expect(verdicts(renamed)).toEqual(["G2 fortress-cp-2 ghost"]);
    expect(classify(renamed)[0]?.evidence[1]?.fact).toBe(
      "192.168.1.212 belongs to fortress-cp-2, which calls itself new-cp-2",
    );
  });

  it("is none where the node runs that very member under its other name", () => {
    const renamed = changed(healthy(), {
      member: { id: memberId(1), name: "new-cp-2" },
      node: { name: "fortress-cp-2", hostname: "new-cp-2" },
    });
    expect(verdicts(renamed)).toEqual([]);
  });

  it("frees its place for who waits there", () => {
    const [ghost] = classify(seed());
    expect(ghost?.quorum.map(({ step }) => step)).toEqual([
      { kind: "remove", member: memberId(1) },
      { kind: "add", member: "fortress-cp-2" },
    ]);
    expect(ghost?.quorum.at(-1)?.after).toMatchObject({ voters: 3, healthy: 3, tolerance: 1 });
  });

  it.each([
    [12, "joining"],
    [31, "ghost"],
  ])("may be a voter that somebody added and never started: %i s", (seconds, state) => {
    const unstarted = { id: memberId(1), name: "", seconds };
    expect(verdicts(changed(joiner(5, "peer-exists"), { member: unstarted }))).toEqual([
      `G2 ${memberId(1)} ${state}`,
    ]);
  });

  it("is not curable once quorum is lost", () => {
    const lost = changed(seed(), {
      node: { name: "fortress-cp-3", answer: "silent", etcd: { ...running(memberId(2)), healthy: false } },
    });
    expect(classify(lost)[0]).toMatchObject({ class: "G2", curable: false });
  });
});

describe("G3: other name, other address", () => {
  it("is told beside three healthy members", () => {
    const old = {
      id: "f".repeat(16),
      name: "old-cp",
      peers: ["192.168.1.221"],
      learner: false,
      seconds: 9000,
    };
    const [ghost] = classify(changed(healthy(), { newMember: old }));
    expect(ghost).toMatchObject({ class: "G3", subject: "old-cp", curable: true });
    expect(ghost?.quorum[0]?.before).toMatchObject({ voters: 4, healthy: 3, tolerance: 0 });
    expect(ghost?.quorum[0]?.after).toMatchObject({ voters: 3, healthy: 3, tolerance: 1 });
  });
});

describe("G3: a member nobody knows that", () => {
  const stranger = { id: "f".repeat(16), peers: ["192.168.1.221"], learner: false, seconds: 9000 };

  it("never started is told by its id", () => {
    const testimony = changed(healthy(), { newMember: { ...stranger, name: "" } });
    expect(verdicts(testimony)).toEqual([`G3 ${stranger.id} ghost`]);
  });

  it("lives is not taken out where its vote is needed", () => {
    const living = changed(healthy(), { newMember: { ...stranger, name: "old-cp", healthy: true } });
    const halved = ["fortress-cp-2"].reduce(
      (testimony, name) =>
        changed(testimony, { node: { name, answer: "silent", etcd: { ...running("x"), healthy: false } } }),
      living,
    );
    const [ghost] = classify(withoutThird(halved));
    expect(ghost).toMatchObject({ class: "G3", curable: false });
    expect(ghost?.quorum[0]).toMatchObject({
      before: { voters: 3, healthy: 2, quorum: 2 },
      after: { voters: 2, healthy: 1, quorum: 2, tolerance: -1 },
      verdict: "refused",
    });
  });
});

describe("G4: a learner that never started", () => {
  it("joins at first", () => expect(verdicts(learner(20))).toEqual(["G4 fortress-cp-2 joining"]));
  it("is a ghost at half a minute", () => expect(verdicts(learner(31))).toEqual(["G4 fortress-cp-2 ghost"]));
  it("takes its age from the node where nobody saw it added", () =>
    expect(verdicts(learner(undefined))).toEqual(["G4 fortress-cp-2 joining"]));
});

describe("G5: the data of a removed member", () => {
  it("is told by the node's own log and the list that lacks it", () => {
    const { etcd, ...rest } = changed(healthy(), {
      node: {
        name: "fortress-cp-3",
        etcd: { state: "Failed", seconds: 2, healthy: false, complaints: ["removed"] },
      },
    });
    const members = (etcd?.members ?? []).slice(0, 2);
    const [ghost] = classify({ ...rest, etcd: { agreed: true, contradictions: [], members } });
    expect(ghost).toMatchObject({
      class: "G5",
      subject: "fortress-cp-3",
      curable: true,
      cures: [{ kind: "wipe-etcd", node: "fortress-cp-3" }],
    });
  });
});

describe("G5: an old disk in a node that had joined again since", () => {
  it("is told between two crashes too, and its later self goes with it", () => {
    const etcd = { ...running("a".repeat(16)), healthy: false, complaints: ["removed"] as const };
    const [ghost] = classify(changed(healthy(), { node: { name: "fortress-cp-3", etcd } }));
    expect(ghost).toMatchObject({
      class: "G5",
      curable: true,
      cures: [
        { kind: "remove-member", member: memberId(2) },
        { kind: "wipe-etcd", node: "fortress-cp-3" },
      ],
    });
    expect(ghost?.quorum.at(-1)?.after).toMatchObject({ voters: 3, healthy: 3 });
  });
});

describe("G7: discovery or Kubernetes only", () => {
  it("a Node that nobody else knows", () => {
    const { kubernetes, ...rest } = healthy();
    const old = { name: "old-worker", address: "192.168.1.219", ready: false };
    expect(classify({ ...rest, kubernetes: [...(kubernetes ?? []), old] })[0]).toMatchObject({
      class: "G7",
      subject: "old-worker",
      cures: [{ kind: "delete-node", node: "old-worker" }],
    });
  });

  it("an affiliate that nobody renews", () => {
    const { discovery, ...rest } = healthy();
    const old = { name: "old-cp", addresses: ["192.168.1.221"], role: "controlplane" as const };
    expect(classify({ ...rest, discovery: [...(discovery ?? []), old] })[0]).toMatchObject({
      class: "G7",
      cures: [{ kind: "expire", node: "old-cp" }],
    });
  });

  it("is the greater ghost where etcd knows it too", () => {
    const { kubernetes, ...rest } = healthy();
    const old = {
      id: "f".repeat(16),
      name: "old-cp",
      peers: ["192.168.1.221"],
      learner: false,
      seconds: 9000,
    };
    const node = { name: "old-cp", address: "192.168.1.221", ready: false };
    const testimony = changed({ ...rest, kubernetes: [...(kubernetes ?? []), node] }, { newMember: old });
    expect(verdicts(testimony)).toEqual(["G3 old-cp ghost"]);
  });
});

describe("G6: back since the upgrade", () => {
  it("is told by the lists that contradict each other", () => {
    expect(verdicts(zombies())).toEqual([...ZOMBIES.values()].map((id) => `G6 ${id} ghost`));
    const [ghost] = classify(zombies());
    expect(ghost?.cures).toEqual([{ kind: "block-upgrade", until: "3.5.26" }]);
    expect(ghost?.evidence.map(({ fact }) => fact)).toContain("node4, etcd 3.5.25, does not");
  });

  it("is told by nodes that are two members once all are upgraded", () => {
    expect(verdicts(zombiesEverywhere())).toEqual([...ZOMBIES.values()].map((id) => `G6 ${id} ghost`));
    const [ghost] = classify(zombiesEverywhere());
    expect(ghost?.cures).toEqual([{ kind: "remove-member", member: ghost?.subject }]);
    expect(ghost?.quorum[0]).toMatchObject({ before: { voters: 8, healthy: 5 }, verdict: "safe" });
  });
});

it("counts as healthy whom its own node calls so", () => {
  const testimony = changed(healthy(), { node: { name: "fortress-cp-2", etcd: preparing(3) } });
  expect(electorateOf(testimony).voters.map(({ healthy: well }) => well)).toEqual([true, false, true]);
});
