import { execFileSync } from "node:child_process";
import { describe, expect, it, test } from "vitest";
import {
  type Change,
  HOST,
  INGRESS,
  altered,
  nodeTells,
  object,
  platformChart,
  platformExamination,
} from "../../test/fixtures/examination/platform.ts";
import { AT, memberId } from "../../test/fixtures/examination/healthy.ts";
import { diagnose, diseases, unjudged } from "./diagnose.ts";
import { judgeHealth } from "./health.ts";
import { unexplained } from "./unexplained.ts";

/** A certificate as a TLS Secret holds it, made by openssl. */
function certificate(host: string, days: number): string {
  const algorithm = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-noenc",
    "-keyout",
    "/dev/null",
  ];
  const identity = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`, "-days", String(days)];
  const pem = execFileSync("openssl", ["req", "-x509", ...algorithm, ...identity], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return pem.toString("base64");
}

const tls = (host: string, days: number) =>
  object({
    kind: "Secret",
    name: "web-tls",
    namespace: "site-blog",
    type: "kubernetes.io/tls",
    data: { "tls.crt": certificate(host, days) },
  });
const route = object({
  apiVersion: "traefik.io/v1alpha1",
  kind: "IngressRoute",
  name: "web",
  namespace: "site-blog",
  spec: {
    routes: [{ match: `Host(\`${HOST}\`)`, services: [{ name: "web", port: 80 }] }],
    tls: { secretName: "web-tls" },
  },
});

const holders =
  (address: string, macs: readonly string[]): NonNullable<Change["examination"]> =>
  ({ lan }) =>
    lan.silent === undefined
      ? { lan: { ...lan, holders: new Map([...(lan.holders ?? []), [address, macs]]) } }
      : {};

const stranger = "02:00:00:00:00:99";
const flux = (kind: string, name: string, spec: object, status: object = {}) =>
  object({
    apiVersion: kind === "GitRepository" ? "source.toolkit.fluxcd.io/v1" : "kustomize.toolkit.fluxcd.io/v1",
    kind,
    name,
    namespace: "flux-system",
    spec,
    status,
  });
const exclude =
  (node: string): NonNullable<Change["objects"]> =>
  (healthy) =>
    healthy.map((one) =>
      one.kind === "Node" && one.name === node
        ? { ...one, labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } }
        : one,
    );

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

describe("each disease is found by name, with its object and nothing else", () => {
  it.each<[string, Change, string]>([
    [
      "time-skew: fortress-cp-2",
      { examination: nodeTells("fortress-cp-2", () => ({ skew: -61_000 })) },
      "61 s behind",
    ],
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
    [
      "etcd-stuck: fortress-cp-3",
      {
        examination: nodeTells("fortress-cp-3", ({ services }) => ({
          etcd: undefined,
          services: services.map((one) =>
            one.id === "etcd" ? { ...one, state: "Preparing", health: "unknown" as const } : one,
          ),
        })),
      },
      "its etcd is Preparing",
    ],
    [
      "etcd-alarm: fortress-cp-1",
      {
        examination: nodeTells("fortress-cp-1", ({ etcd }) => ({
          etcd: etcd === undefined ? undefined : { ...etcd, alarms: ["NOSPACE"] },
        })),
      },
      "no write is accepted",
    ],
    [
      "etcd-slow-disk: fortress-cp-1",
      {
        examination: nodeTells("fortress-cp-1", ({ etcd }) => ({
          etcd:
            etcd === undefined
              ? undefined
              : { ...etcd, slow: Array.from({ length: 6 }, () => "slow fdatasync (1.2s)") },
        })),
      },
      "waited 6 times",
    ],
    [
      "version-skew: fortress-cp-1",
      { objects: altered("Node", "fortress-cp-1", { status: { nodeInfo: { kubeletVersion: "v1.30.0" } } }) },
      "4 minors older",
    ],
    [
      "secrets-out-of-step: Secret flux-system/sops-age",
      {
        examination: ({ store }) =>
          store.silent === undefined
            ? {
                store: {
                  ...store,
                  pairs: [
                    {
                      name: "sops-age-key",
                      object: "Secret flux-system/sops-age",
                      kept: "sha256:1",
                      live: "sha256:2",
                    },
                  ],
                },
              }
            : {},
      },
      "not what fortress.secrets.age holds",
    ],
    [
      "cluster-dns: Service kube-system/kube-dns",
      { objects: altered("EndpointSlice", "kube-dns-a", { endpoints: [] }) },
      "names do not resolve",
    ],
    [
      "flux: GitRepository flux-system/flux-system",
      {
        objects: altered("GitRepository", "flux-system", {
          spec: { suspend: true, ref: { branch: "main" } },
        }),
      },
      "suspended",
    ],
    [
      "flux: GitRepository flux-system/flux-system",
      { objects: altered("GitRepository", "flux-system", { spec: { ref: { branch: "old" } } }) },
      "follows branch old, the spec says main",
    ],
    [
      "flux: Kustomization flux-system/mine",
      { objects: (healthy) => [...healthy, flux("Kustomization", "mine", {})] },
      "never looked at it",
    ],
    [
      "flux: Kustomization flux-system/mine",
      {
        objects: (healthy) => [
          ...healthy,
          flux(
            "Kustomization",
            "mine",
            {},
            {
              conditions: [
                { type: "Stalled", status: "True", reason: "InvalidPath", message: "no such folder" },
              ],
            },
          ),
        ],
      },
      "stalled: InvalidPath: no such folder",
    ],
    [
      "pod-security: Deployment site-blog/web",
      {
        objects: altered("Deployment", "web", {
          status: {
            conditions: [
              {
                type: "ReplicaFailure",
                status: "True",
                message:
                  'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": privileged (container "web" must not set it)',
              },
            ],
          },
        }),
      },
      "restricted:latest",
    ],
    [
      "pod-security: DaemonSet strict/agent",
      {
        objects: (healthy) => [
          ...healthy,
          object({
            kind: "Event",
            name: "e",
            namespace: "strict",
            reason: "FailedCreate",
            message:
              'Error creating: pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
            lastTimestamp: AT.toISOString(),
            involvedObject: { kind: "DaemonSet", name: "agent", namespace: "strict" },
          }),
        ],
      },
      "baseline:latest",
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
      "site-name: blog.fortress.lan",
      {
        examination: ({ lan }) =>
          lan.silent === undefined
            ? { lan: { ...lan, names: lan.names.map((name) => ({ ...name, addresses: ["192.168.1.99"] })) } }
            : {},
      },
      "leads to 192.168.1.99",
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

test("a squatting member is named, with its address", () => {
  const [found] = diagnose(
    platformChart({
      examination: ({ nodes }) => ({
        nodes: nodes.map((one) => {
          if (one.silent !== undefined || one.etcd === undefined) return one;
          const members = one.etcd.members.map((member) =>
            member.id === memberId(2) ? { ...member, name: "old-cp-3" } : member,
          );
          return one.node.name === "fortress-cp-3"
            ? {
                ...one,
                etcd: undefined,
                services: one.services.map((service) =>
                  service.id === "etcd" ? { ...service, state: "Preparing" } : service,
                ),
              }
            : { ...one, etcd: { ...one.etcd, members } };
        }),
      }),
    }),
  );
  expect(found).toMatchObject({
    disease: "etcd-stuck",
    object: "fortress-cp-3",
    message: "its etcd is Preparing: old-cp-3 still has its address",
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
