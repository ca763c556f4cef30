import { describe, expect, it, test } from "vitest";
import { HOST, altered, nodeTells, object, platformChart } from "../../test/fixtures/examination/platform.ts";
import { type Sickness, tls, route } from "../../test/fixtures/examination/sickness.ts";
import { diagnose } from "./diagnose.ts";

describe("diseases of the sites are found by name, with their object and nothing else", () => {
  it.each<Sickness>([
    [
      "service-pods: Service site-blog/lost",
      {
        objects: (healthy) => [
          ...healthy,
          object({
            kind: "Service",
            name: "lost",
            namespace: "site-blog",
            spec: { selector: { app: "wob" }, ports: [{ port: 80 }] },
          }),
        ],
      },
      "no pod has the labels",
    ],
    [
      "service-target-port: Service site-blog/web",
      {
        examination: nodeTells("fortress-worker-1", () => ({
          sockets: [{ pod: "site-blog/web-1", address: "0.0.0.0", port: 80 }],
        })),
      },
      "on which nobody listens",
    ],
    [
      "service-target-port: Service site-blog/web",
      {
        examination: nodeTells("fortress-worker-1", () => ({
          sockets: [{ pod: "site-blog/web-1", address: "127.0.0.1", port: 8080 }],
        })),
      },
      "on which nobody listens",
    ],
    [
      "service-target-port: Service site-blog/web",
      {
        objects: altered("EndpointSlice", "web-a", {
          ports: [],
          endpoints: [
            {
              addresses: ["10.244.3.4"],
              nodeName: "fortress-worker-1",
              targetRef: { kind: "Pod", name: "web-1" },
            },
          ],
          metadata: { labels: { "kubernetes.io/service-name": "web" } },
        }),
      },
      "which no container of Pod site-blog/web-1 has",
    ],
    [
      "certificate-stuck: certificate of blog.fortress.lan",
      {
        objects: altered("ConfigMap", "acme-state", {
          data: {
            [HOST]: JSON.stringify({ state: "failed", error: "connection refused", secret: "web-tls" }),
          },
        }),
      },
      "connection refused",
    ],
    [
      "certificate-name: Secret site-blog/web-tls",
      { objects: (healthy) => [...healthy, tls("other.example", 90), route] },
      "it is for other.example",
    ],
    [
      "certificate-expiry: Secret site-blog/web-tls",
      {
        objects: (healthy) => [...healthy, tls(HOST, 90), route],
        examination: () => ({ at: new Date(Date.now() + 80 * 86_400_000) }),
      },
      "ends in",
    ],
    [
      "static-tag: Deployment site-blog/web",
      {
        objects: altered("Deployment", "web", {
          spec: {
            template: {
              metadata: { labels: { app: "web" } },
              spec: {
                containers: [{ name: "web", image: "nginx:latest", ports: [{ containerPort: 8080 }] }],
              },
            },
          },
        }),
      },
      "nginx:latest",
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

test("a wrong port is walked hop by hop, and the command mends it", () => {
  const [found] = diagnose(
    platformChart({
      examination: nodeTells("fortress-worker-1", () => ({
        sockets: [{ pod: "site-blog/web-1", address: "0.0.0.0", port: 80 }],
      })),
    }),
  );
  expect(found?.evidence).toEqual([
    "LoadBalancer 192.168.1.230:80 → Service site-blog/web: port 80, targetPort 8080",
    "→ EndpointSlice site-blog/web-a: 10.244.3.4:8080",
    "→ Pod site-blog/web-1 on fortress-worker-1: listens on 80",
  ]);
  expect(found?.command).toBe(
    `castle kubectl -- -n site-blog patch service web --type=json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":80}]'`,
  );
});
