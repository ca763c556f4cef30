import { describe, expect, it, test } from "vitest";
import {
  type Change,
  HOST,
  INGRESS,
  altered,
  nodeTells,
  platformChart,
  platformExamination,
} from "../../test/fixtures/examination/platform.ts";
import { tls, route, holders, flux, exclude } from "../../test/fixtures/examination/sickness.ts";
import { diagnose, diseases, unjudged } from "./diagnose.ts";
import { judgeHealth } from "./health.ts";
import { unexplained } from "./unexplained.ts";

describe("a healthy castle with a platform", () => {
  it("has no disease, and every disease was judged", () => {
    expect(diagnose(platformChart())).toEqual([]);
    expect(unjudged(platformChart())).toEqual([]);
    expect(judgeHealth(platformExamination()).checks.filter(({ verdict }) => verdict !== "healthy")).toEqual(
      [],
    );
  });

  it.each<[string, Change]>([
    ["a certificate that fits and lasts", { objects: (healthy) => [...healthy, tls(HOST, 90), route] }],
    [
      "a container that declares no port and listens",
      {
        objects: altered("Deployment", "web", {
          spec: {
            template: {
              metadata: { labels: { app: "web" } },
              spec: { containers: [{ name: "web", image: "castle.local/placeholder:v1" }] },
            },
          },
        }),
      },
    ],
    [
      "a neighbour who is who he says he is",
      {
        examination: nodeTells("fortress-cp-1", () => ({
          neighbours: [
            {
              address: "192.168.1.214",
              mac: platformExamination().castle.nodes[3]?.mac ?? "",
              permanent: false,
            },
          ],
        })),
      },
    ],
    [
      "a learner's slow moment",
      {
        examination: nodeTells("fortress-cp-1", ({ etcd }) => ({
          etcd: etcd === undefined ? undefined : { ...etcd, slow: ["slow fdatasync"] },
        })),
      },
    ],
    [
      "a node whose pods nobody announces, beside one that is announced",
      { objects: exclude("fortress-worker-2") },
    ],
    [
      "a name that leads to the router outside",
      {
        examination: ({ lan }) =>
          lan.silent === undefined
            ? { lan: { ...lan, names: lan.names.map((name) => ({ ...name, addresses: ["203.0.113.7"] })) } }
            : {},
      },
    ],
    [
      "a Kustomization of this minute",
      {
        objects: (healthy) => [
          ...healthy,
          {
            ...flux("Kustomization", "young", {}),
            body: { metadata: { creationTimestamp: "2026-01-31T06:59:30Z" }, spec: {} },
          },
        ],
      },
    ],
  ])("and neither has one with %s", (_, change) => {
    expect(diagnose(platformChart(change)).map(({ disease, object }) => `${disease}: ${object}`)).toEqual([]);
  });
});

test("a kind that the API refuses to tell is unknown to every disease that reads it, and to no other", () => {
  const chart = platformChart({ unread: new Map([["EndpointSlice", "endpointslices is forbidden"]]) });
  expect(diagnose(chart)).toEqual([]);
  expect(unjudged(chart)).toEqual(
    diseases
      .filter(({ reads }) => reads?.includes("EndpointSlice"))
      .map(({ id }) => ({ disease: id, reason: "endpointslices is forbidden" })),
  );
  expect(unjudged(chart).map(({ disease }) => disease)).toContain("service-target-port");
});

test("a symptom whose cause is named is not told twice", () => {
  const change = { examination: holders(INGRESS, []), objects: exclude("fortress-worker-1") };
  const { checks } = judgeHealth(platformExamination(change));
  expect(checks.flatMap(({ findings }) => findings.map(({ object }) => object))).toEqual([INGRESS]);
  expect(unexplained(checks, diagnose(platformChart(change)))).toEqual([]);
  expect(unexplained(checks, []).map(({ disease, object }) => `${disease}: ${object}`)).toEqual([
    `load-balancers: ${INGRESS}`,
  ]);
});
