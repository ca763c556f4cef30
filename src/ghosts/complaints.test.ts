import { describe, expect, it } from "vitest";
import { complaintsOfEtcd, complaintsOfTalos, secondsSinceAdded } from "./complaints.ts";

const added = (id: string, second: number) =>
  `{"level":"info","ts":"2026-11-23T10:00:${String(second).padStart(2, "0")}.067567Z","caller":"membership/cluster.go:424","msg":"added member","cluster-id":"a","local-member-id":"b","added-peer-id":"${id}","added-peer-peer-urls":["https://192.168.1.212:2380"],"added-peer-is-learner":true}`;
const removed =
  '{"level":"warn","ts":"2026-11-23T10:00:30.000Z","caller":"etcdserver/server.go:860","msg":"server error","error":"the member has been permanently removed from the cluster"}';
const now = new Date("2026-11-23T10:00:50Z");

describe("Talos' log", () => {
  it("tells what keeps a joiner", () => {
    const lines = [
      "[talos] 2026/11/23 10:00:00 etcd is waiting to join the cluster, if this node is the first node in the cluster, please run",
      "[talos] 2026/11/23 10:00:01 retrying error: error adding member: etcdserver: unhealthy cluster",
      "[talos] 2026/11/23 10:00:05 retrying error: error adding member: etcdserver: Peer URLs already exists",
    ];
    expect(complaintsOfTalos(lines)).toEqual(["waits-to-join", "unhealthy-cluster", "peer-exists"]);
  });

  it("counts from the last start of etcd", () => {
    const lines = [
      "retrying error: error adding member: etcdserver: Peer URLs already exists",
      "[talos] 2026/11/23 10:00:09 service[etcd](Starting): Starting service",
      "[talos] 2026/11/23 10:00:09 service[etcd](Preparing): Running pre state",
    ];
    expect(complaintsOfTalos(lines)).toEqual([]);
  });
});

describe("etcd's log", () => {
  it("tells of a removal, unless it was before the last start", () => {
    expect(complaintsOfEtcd([removed], undefined)).toEqual(["removed"]);
    expect(complaintsOfEtcd([removed], new Date("2026-11-23T10:00:29Z"))).toEqual(["removed"]);
    expect(complaintsOfEtcd([removed], new Date("2026-11-23T10:00:31Z"))).toEqual([]);
  });
});

describe("the age of a member", () => {
  it("is told by the last time that it was added", () => {
    const log = [added("8e9e05c52164694d", 5), added("8e9e05c52164694d", 20), added("a", 40)];
    expect(secondsSinceAdded(log, "8e9e05c52164694d", now)).toBeCloseTo(29.9, 1);
  });

  it("is at least the log's where that does not reach back, and finds ids with zeros in front", () => {
    expect(secondsSinceAdded([removed], "8e9e05c52164694d", now)).toBe(20);
    expect(secondsSinceAdded([added("7c", 49)], "000000000000007c", now)).toBeCloseTo(0.9, 1);
  });

  it("is unknown without a log", () => expect(secondsSinceAdded([], "a", now)).toBeUndefined());
});
