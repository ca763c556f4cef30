import { describe, expect, it, test } from "vitest";
import { altered, nodeTells, object, platformChart } from "../../test/fixtures/examination/platform.ts";
import { type Sickness, flux } from "../../test/fixtures/examination/sickness.ts";
import { AT, memberId } from "../../test/fixtures/examination/healthy.ts";
import { diagnose } from "./diagnose.ts";

const unfetched = {
  type: "Ready",
  status: "False",
  reason: "GitOperationFailed",
  message: "failed to checkout and determine revision: authentication required",
};

describe("diseases of the castle are found by name, with their object and nothing else", () => {
  it.each<Sickness>([
    [
      "time-skew: fortress-cp-2",
      { examination: nodeTells("fortress-cp-2", () => ({ skew: -61_000 })) },
      "61 s behind",
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
      {
        objects: altered("EndpointSlice", "kube-dns-a", {
          endpoints: [
            {
              addresses: ["10.244.0.2"],
              conditions: { ready: false },
              targetRef: { kind: "Pod", name: "coredns-a" },
            },
          ],
        }),
      },
      "names do not resolve",
    ],
    [
      "cluster-dns: Service kube-system/kube-dns",
      {
        examination: ({ nameServers }) => ({
          nameServers: nameServers.map((one) => ({ ...one, addresses: [], failed: "connection refused" })),
        }),
      },
      "names do not resolve in pods",
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
      "flux: GitRepository flux-system/flux-system",
      {
        objects: (healthy) =>
          healthy.map((one) =>
            one.kind === "GitRepository"
              ? flux("GitRepository", one.name, { ref: { branch: "main" } }, { conditions: [unfetched] })
              : one,
          ),
      },
      "authentication required",
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
  ])("%s", (name, change, words) => {
    const found = diagnose(platformChart(change));
    expect(found.map(({ disease, object }) => `${disease}: ${object}`)).toEqual([name]);
    expect(found[0]?.message).toContain(words);
    expect(found[0]?.evidence.length).toBeGreaterThan(0);
    expect(found[0]?.fix).toBeTruthy();
    expect(found[0]?.command).toBeTruthy();
  });
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
