import { describe, expect, it, test } from "vitest";
import { AT, healthyExamination, memberId } from "../../test/fixtures/examination/healthy.ts";
import type { ClusterExamination, Examination, NameServerAnswer, NodeState } from "./examination.ts";
import type { EtcdMember } from "../talos/etcd.ts";
import type { Finding } from "./finding.ts";
import { judgeHealth } from "./health.ts";

test("a healthy castle: every check is silent", () => {
  const { healthy, checks } = judgeHealth(healthyExamination());
  expect(checks.filter(({ verdict }) => verdict !== "healthy")).toEqual([]);
  expect(healthy).toBe(true);
});

/** The fortress with one node that tells something else. */
function withNode(name: string, change: (state: NodeState) => Partial<NodeState>): Examination {
  const examination = healthyExamination();
  const nodes = examination.nodes.map((one) =>
    one.node.name === name && one.silent === undefined ? { ...one, ...change(one) } : one,
  );
  return { ...examination, nodes };
}

function withCluster(change: (cluster: ClusterExamination) => Partial<ClusterExamination>): Examination {
  const examination = healthyExamination();
  if (examination.cluster.silent !== undefined) throw new Error("a healthy cluster tells");
  return { ...examination, cluster: { ...examination.cluster, ...change(examination.cluster) } };
}

function withSilent(name: string): Examination {
  const examination = healthyExamination();
  const nodes = examination.nodes.map((one) =>
    one.node.name === name ? { node: one.node, silent: "connection refused" } : one,
  );
  return { ...examination, nodes };
}

const etcdService = (words: object) => (state: NodeState) => ({
  services: state.services.map((one) => (one.id === "etcd" ? { ...one, ...words } : one)),
});

const etcdTells = (change: object) => (state: NodeState) => ({
  etcd: state.etcd === undefined ? undefined : { ...state.etcd, ...change },
});

const MIB = 1024 ** 2;
const COREDNS = "Pod kube-system/coredns-a";

/** The cluster's name server says something else. */
function answering(words: Partial<NameServerAnswer>): Examination {
  const examination = healthyExamination();
  return { ...examination, nameServers: examination.nameServers.map((one) => ({ ...one, ...words })) };
}

test("a name server that the question did not reach is not called sick, nor the castle healthy", () => {
  const { checks } = judgeHealth(answering({ addresses: [], unreached: "the kubelet opens nothing" }));
  expect(checks.find(({ id }) => id === "dns")).toMatchObject({
    verdict: "unknown",
    unknown: `${COREDNS}: the kubelet opens nothing`,
  });
});

describe("every fault is found by the check that is named after it, with its object", () => {
  it.each<[string, Examination, string, string]>([
    ["apid-ready", withSilent("fortress-worker-1"), "critical fortress-worker-1", "connection refused"],
    [
      "boot-finished",
      withNode("fortress-cp-2", () => ({
        state: { stage: "booting", ready: false, unmet: [{ name: "time", reason: "not synced" }] },
      })),
      "critical fortress-cp-2",
      "waits for time (not synced)",
    ],
    ["memory", withNode("fortress-cp-1", () => ({ memory: 900 })), "warning fortress-cp-1", "900 MiB"],
    ["disk", withNode("fortress-cp-1", () => ({ disk: 3_000 })), "warning fortress-cp-1", "3000 MiB"],
    [
      "clock",
      withNode("fortress-cp-1", () => ({ clock: "not synchronised" })),
      "warning fortress-cp-1",
      "not synchronised",
    ],
    ["clock", withNode("fortress-cp-1", () => ({ skew: 60_000 })), "critical fortress-cp-1", "60 s ahead"],
    ["clock", withNode("fortress-cp-1", () => ({ skew: -60_000 })), "critical fortress-cp-1", "60 s behind"],
    [
      "diagnostics",
      withNode("fortress-cp-1", () => ({ diagnostics: [{ id: "address-overlap", message: "two" }] })),
      "warning fortress-cp-1",
      "address-overlap: two",
    ],
    [
      "etcd-healthy",
      withNode(
        "fortress-cp-3",
        etcdService({ state: "Preparing", health: "unknown", message: "etcdserver: unhealthy cluster" }),
      ),
      "critical fortress-cp-3",
      "Preparing, unknown; etcdserver: unhealthy cluster",
    ],
    [
      "etcd-healthy",
      withNode("fortress-cp-3", ({ etcd }) => ({
        etcd: etcd === undefined ? undefined : { ...etcd, status: { ...etcd.status, leader: undefined } },
      })),
      "critical fortress-cp-3",
      "follows no leader",
    ],
    [
      "etcd-space",
      withNode("fortress-cp-3", etcdTells({ alarms: ["NOSPACE"] })),
      "critical fortress-cp-3",
      "NOSPACE",
    ],
    [
      "etcd-space",
      withNode("fortress-cp-3", ({ etcd }) => ({
        etcd: etcd === undefined ? undefined : { ...etcd, status: { ...etcd.status, size: 1900 * MIB } },
      })),
      "warning fortress-cp-3",
      "1900 MiB of its quota of 2048",
    ],
    [
      "vip-holder",
      withNode("fortress-cp-1", () => ({ addresses: ["192.168.1.211"] })),
      "critical VIP 192.168.1.210",
      "nobody holds it",
    ],
    [
      "vip-holder",
      withNode("fortress-cp-2", () => ({ addresses: ["192.168.1.212", "192.168.1.210"] })),
      "critical VIP 192.168.1.210",
      "fortress-cp-1, fortress-cp-2",
    ],
    [
      "kubelet-healthy",
      withNode("fortress-worker-2", () => ({ services: [] })),
      "critical fortress-worker-2",
      "never started",
    ],
    [
      "static-pods",
      withNode("fortress-cp-2", ({ staticPods }) => ({ staticPods: staticPods.slice(1) })),
      "critical kube-apiserver on fortress-cp-2",
      "is not there",
    ],
    [
      "nodes-ready",
      withCluster(({ nodes }) => ({ nodes: nodes.slice(0, 4) })),
      "critical fortress-worker-2",
      "does not know it",
    ],
    [
      "nodes-ready",
      withCluster(({ nodes }) => ({
        nodes: nodes.map((node, index) => (index === 3 ? { ...node, unschedulable: true } : node)),
      })),
      "warning fortress-worker-1",
      "cordoned",
    ],
    [
      "nodes-ready",
      withCluster(({ nodes }) => ({
        nodes: nodes.map((node, index) =>
          index === 3 ? { ...node, troubles: [{ type: "DiskPressure", message: "disk is full" }] } : node,
        ),
      })),
      "warning fortress-worker-1",
      "DiskPressure: disk is full",
    ],
    [
      "unknown-nodes",
      withCluster(({ nodes }) => ({
        nodes: [
          ...nodes,
          ...nodes.slice(0, 1).map((node) => ({ ...node, name: "old-worker", ready: false })),
        ],
      })),
      "warning old-worker",
      "NotReady",
    ],
    [
      "system-workloads",
      withCluster(({ workloads }) => ({
        workloads: workloads.map((one) => (one.name === "coredns" ? { ...one, ready: 0 } : one)),
      })),
      "critical Deployment kube-system/coredns",
      "0 of 2",
    ],
    [
      "workloads",
      withCluster(({ workloads }) => ({
        workloads: [
          ...workloads,
          { kind: "Deployment", namespace: "traefik", name: "traefik", wanted: 2, ready: 1 },
        ],
      })),
      "warning Deployment traefik/traefik",
      "1 of 2",
    ],
    ["dns", answering({ addresses: ["10.0.0.9"] }), `critical ${COREDNS}`, "leads to 10.0.0.9"],
    ["dns", answering({ addresses: [] }), `critical ${COREDNS}`, "is not known to it"],
    ["dns", answering({ failed: "connection refused" }), `critical ${COREDNS}`, "connection refused"],
    [
      "versions",
      withNode("fortress-worker-1", () => ({ talos: "v1.10.0" })),
      "warning fortress-worker-1",
      "runs Talos v1.10.0",
    ],
    [
      "certificates",
      {
        ...healthyExamination(),
        certificates: [{ object: "talosconfig", until: new Date("2026-02-05T00:00:00Z") }],
      },
      "warning talosconfig",
      "ends in 4 days",
    ],
  ])("%s", (id, examination, object, words) => {
    const first = judgeHealth(examination).checks.find(({ verdict }) => verdict !== "healthy");
    expect(first?.id).toBe(id);
    expect(first?.findings.map((found) => `${found.severity} ${found.object}`)).toContain(object);
    expect(first?.findings.map(({ message }) => message).join("\n")).toContain(words);
  });
});

/** What the check of etcd's members finds when every member tells a list changed like this. */
function membersFound(
  change: (list: readonly EtcdMember[]) => readonly EtcdMember[],
): readonly Finding[] | undefined {
  const examination = healthyExamination();
  const nodes = examination.nodes.map((one) =>
    one.silent === undefined && one.etcd !== undefined
      ? { ...one, etcd: { ...one.etcd, members: change(one.etcd.members) } }
      : one,
  );
  return judgeHealth({ ...examination, nodes }).checks.find(({ id }) => id === "etcd-members")?.findings;
}

describe("etcd's members", () => {
  it("a ghost on a control plane's own address is found, which talosctl health lets pass", () => {
    const found = membersFound((list) =>
      list.map((member) => (member.id === memberId(1) ? { ...member, name: "old-cp-2" } : member)),
    );
    expect(found?.map(({ object }) => object)).toEqual(["fortress-cp-2", "old-cp-2"]);
  });

  it("a learner is no voter yet", () => {
    const found = membersFound((list) =>
      list.map((member) => (member.id === memberId(1) ? { ...member, learner: true } : member)),
    );
    expect(found?.map(({ object, message }) => `${object}: ${message}`)).toEqual([
      "fortress-cp-2: it has no vote in etcd",
    ]);
  });

  it("members that disagree are all named", () => {
    const examination = withNode("fortress-cp-3", ({ etcd }) => ({
      etcd: etcd === undefined ? undefined : { ...etcd, members: etcd.members.slice(0, 2) },
    }));
    const check = judgeHealth(examination).checks.find(({ id }) => id === "etcd-members");
    expect(check?.findings.map(({ object }) => object)).toEqual([
      "fortress-cp-1",
      "fortress-cp-2",
      "fortress-cp-3",
    ]);
  });
});

test("a clock that the node did not tell shows in its lease", () => {
  const untold = withNode("fortress-cp-1", () => ({ skew: undefined }));
  const late = withCluster(({ nodes }) => ({
    nodes: nodes.map((node) => ({ ...node, renewed: new Date(AT.getTime() + 60_000) })),
  }));
  const { checks } = judgeHealth({ ...untold, cluster: late.cluster });
  expect(checks.find(({ id }) => id === "clock")?.findings.map(({ object }) => object)).toEqual([
    "fortress-cp-1",
  ]);
});

test("a silent API is told as unknown, and the castle is not called healthy", () => {
  const { healthy, checks } = judgeHealth({ ...healthyExamination(), cluster: { silent: "no answer" } });
  expect(healthy).toBe(false);
  expect(checks.filter(({ verdict }) => verdict === "unknown").map(({ id }) => id)).toEqual([
    "nodes-ready",
    "unknown-nodes",
    "system-workloads",
    "workloads",
  ]);
});

test("where no node answers, what only nodes can tell is unknown, and not well", () => {
  const examination = healthyExamination();
  const nodes = examination.nodes.map(({ node }) => ({ node, silent: "connection refused" }));
  const silent = { silent: "no answer" };
  const { checks } = judgeHealth({ ...examination, nodes, cluster: silent, objects: silent, lan: silent });
  // A castle without gitops has neither Flux nor releases.
  expect(checks.filter(({ verdict }) => verdict === "healthy").map(({ id }) => id)).toEqual([
    "flux",
    "releases",
    "certificates",
    "backup-age",
  ]);
});
