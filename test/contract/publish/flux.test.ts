import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { publish } from "../../../src/publish/publish.ts";
import { resume } from "../../../src/publish/resume.ts";
import { Secret } from "../../../src/support/secret.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { TcpWay } from "../../fixtures/tcp-way.ts";
import { ClusterWorld, SOURCE, untilCommitted } from "./cluster-world.ts";
import { COMMITS, tagOf, World } from "./world.ts";

const condition = (status: string, message: string) => ({
  type: "Ready",
  status,
  reason: "GitOperationFailed",
  message,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

/** publish.md's rows between the commit and the pods: each test is called as its row. */
describe.skipIf(!canRunLab)("a release on its way into the cluster", () => {
  let registry: TestRegistry;
  let cluster: ClusterWorld;
  let world: World;

  beforeAll(async () => {
    registry = await openRegistry();
    cluster = await ClusterWorld.open();
  });
  afterAll(async () => {
    await cluster?.close();
    await registry?.close();
  });
  beforeEach(async () => {
    world = await World.open(registry);
    // What is live before: published without a look at the cluster.
    await world.publish(COMMITS.first);
  });
  afterEach(async () => {
    await cluster.patch(`${SOURCE}/status`, { status: { conditions: [] } });
    await world.close();
  });

  it("Flux not ready: 10 in preflight with the condition's text", async () => {
    const conditions = [condition("False", "failed to checkout: authentication required")];
    await cluster.patch(`${SOURCE}/status`, { status: { conditions } });
    const before = await world.remote.commits();
    await expect(world.publish(COMMITS.second, cluster.cluster)).rejects.toMatchObject({
      code: "publish/flux",
      exitCode: 10,
      message: expect.stringMatching(
        /GitRepository .* is not ready: GitOperationFailed: .*authentication required[\s\S]*nothing was changed/,
      ),
    });
    expect(await world.remote.commits()).toBe(before);
  });

  it("Flux not ready later: 50 with the condition's text", async () => {
    const [publishing] = await untilCommitted(world, () => world.publish(COMMITS.second, cluster.cluster));
    const conditions = [condition("False", "failed to checkout: i/o timeout")];
    await cluster.patch(`${SOURCE}/status`, { status: { conditions } });
    await expect(publishing).rejects.toMatchObject({
      code: "publish/flux",
      exitCode: 50,
      message: expect.stringMatching(
        /cannot fetch the commit: GitOperationFailed: .*i\/o timeout[\s\S]*is committed .*not verified/,
      ),
    });
  });

  it("quota with --auto-rollback: commits forward to the previous release", async () => {
    const delivery = await world.delivery({ cluster: cluster.cluster, patience: 8_000 });
    const options = world.options(COMMITS.second, { autoRollback: true });
    const [publishing] = await untilCommitted(world, () => publish(delivery, options));
    const denied = 'pods "web-2" is forbidden: exceeded quota: small';
    const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: denied };
    const [settled] = await untilCommitted(world, () => cluster.settle(world, { conditions: [failure] }));
    await settled;
    await cluster.settle(world, { conditions: [] });
    // Nobody runs pods here, so that going back cannot be proven; test/long/publish-faults.test.ts proves it.
    await expect(publishing).rejects.toMatchObject({
      exitCode: 50,
      message: expect.stringMatching(/exceeded quota: small[\s\S]*Going back to blog-/),
    });
    expect(await world.manifest()).toContain(`:${tagOf(COMMITS.first)}@sha256:`);
    expect(await world.remote.git("log", "-1", "--format=%s", "main")).toContain("blog: back to blog-");
  });

  it('cluster unreachable after the push: 50 "committed, not verified"; --resume only proves', async () => {
    const kubeconfig = cluster.server.kubeconfig.reveal();
    const way = await TcpWay.open(Number(/127\.0\.0\.1:(\d+)/.exec(kubeconfig)?.[1]));
    const api = new KubernetesApi(
      new Secret(kubeconfig.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${way.port}`)),
    );
    try {
      const [publishing] = await untilCommitted(world, () =>
        world.publish(COMMITS.second, { ...cluster.cluster, api }),
      );
      await way.cut();
      await expect(publishing).rejects.toMatchObject({
        code: "publish/unverified",
        exitCode: 50,
        hint: expect.stringContaining("--resume"),
        message: expect.stringMatching(/is committed \([0-9a-f]{12}\), not verified/),
      });
      const before = await world.remote.commits();
      await cluster.settle(world, { conditions: [] });
      // It gets as far as the Deployment, which has no pods here, and writes nothing.
      const again = resume(await world.delivery({ cluster: cluster.cluster, patience: 2_000 }));
      await expect(again).rejects.toMatchObject({ code: "publish/rollout", exitCode: 50 });
      expect(await world.remote.commits()).toBe(before);
    } finally {
      api.close();
      await way.cut();
    }
  });
});
