import { describe, expect, it } from "vitest";
import {
  INGRESS,
  altered,
  nodeTells,
  object,
  platformChart,
} from "../../test/fixtures/examination/platform.ts";
import { type Sickness, holders, exclude, shut, stranger } from "../../test/fixtures/examination/sickness.ts";
import { diagnose } from "./diagnose.ts";

describe("diseases of the network are found by name, with their object and nothing else", () => {
  it.each<Sickness>([
    [
      "address-conflict: fortress-worker-1 192.168.1.214",
      { examination: holders("192.168.1.214", [stranger, "BC:24:11:00:00:01"]) },
      "2 machines answer",
    ],
    [
      "address-conflict: Service site-blog/web 192.168.1.230",
      { examination: holders(INGRESS, [stranger, "BC:24:11:00:00:01"]) },
      stranger,
    ],
    [
      "stale-neighbour: fortress-cp-3",
      {
        examination: nodeTells("fortress-cp-3", () => ({
          neighbours: [{ address: INGRESS, mac: stranger, permanent: true }],
        })),
      },
      "Service site-blog/web at 192.168.1.230",
    ],
    ["pool-clash: 192.168.1.231", { examination: holders("192.168.1.231", [stranger]) }, stranger],
    [
      "pool-clash: IPAddressPool metallb-system/castle",
      {
        objects: altered("IPAddressPool", "castle", {
          spec: { addresses: ["192.168.1.212/32", "192.168.1.230-192.168.1.239"] },
        }),
      },
      "fortress-cp-2's",
    ],
    [
      "load-balancer-address: Service site-blog/far",
      {
        objects: (healthy) => [
          ...healthy,
          object({
            kind: "Service",
            name: "far",
            namespace: "site-blog",
            spec: { type: "LoadBalancer", ports: [] },
          }),
          object({
            kind: "Event",
            name: "e",
            namespace: "site-blog",
            reason: "AllocationFailed",
            message: "10.9.9.9 is not allowed in config",
            involvedObject: { kind: "Service", name: "far", namespace: "site-blog" },
          }),
        ],
      },
      "10.9.9.9 is not allowed",
    ],
    [
      "load-balancer-silent: Node fortress-worker-1",
      { examination: holders(INGRESS, []), objects: exclude("fortress-worker-1") },
      "excluded from external load balancers",
    ],
    [
      "load-balancer-silent: Service site-blog/web",
      {
        examination: holders(INGRESS, []),
        objects: altered("L2Advertisement", "castle", { spec: { ipAddressPools: ["other"] } }),
      },
      "no L2Advertisement names",
    ],
    [
      "load-balancer-silent: Service site-blog/web",
      {
        examination: holders(INGRESS, []),
        objects: (healthy) => healthy.filter(({ name }) => name !== "speaker-1"),
      },
      "no MetalLB speaker is ready on fortress-worker-1",
    ],
    [
      "service-rules: Service site-blog/web",
      {
        examination: shut(INGRESS, 80),
      },
      "fortress-worker-1 takes connections to 192.168.1.230:80",
    ],
    [
      // Nobody listens: then it is no node's fault.
      "service-target-port: Service site-blog/web",
      {
        examination: (healthy) => ({
          ...shut(INGRESS, 80)(healthy),
          ...nodeTells("fortress-worker-1", () => ({
            sockets: [{ pod: "site-blog/web-1", address: "::", port: 9090 }],
          }))(healthy),
        }),
      },
      "nobody listens",
    ],
    [
      "site-name: blog.fortress.lan",
      {
        examination: ({ lan }) =>
          lan.silent === undefined
            ? { lan: { ...lan, names: lan.names.map((name) => ({ ...name, addresses: ["192.168.1.99"] })) } }
            : {},
      },
      "leads to 192.168.1.99",
    ],
  ])("%s", (name, change, words) => {
    const found = diagnose(platformChart(change));
    expect(found.map(({ disease, object }) => `${disease}: ${object}`)).toEqual([name]);
    expect(found[0]?.message).toContain(words);
    expect(found[0]?.evidence.length).toBeGreaterThan(0);
    expect(found[0]?.fix).toBeTruthy();
    expect(found[0]?.command).toBeTruthy();
  });
});
