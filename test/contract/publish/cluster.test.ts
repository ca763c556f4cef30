import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { Secret } from "../../../src/support/secret.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { ClusterWorld, SOURCE, untilCommitted } from "./cluster-world.ts";
import { COMMITS, manifest, SITE, tagOf, World } from "./world.ts";

/** publish.md's rows of the cluster, whose objects are put into the states: each test is called as its row. */
describe.skipIf(!canRunLab)("a release and its cluster", () => {
  let registry: TestRegistry;
  let cluster: ClusterWorld;
  let world: World;

  beforeAll(async () => {
    registry = await openRegistry();
    cluster = await ClusterWorld.open();
    world = await World.open(registry);
  });
  afterAll(async () => {
    await world?.close();
    await cluster?.close();
    await registry?.close();
  });

  /** Publishes, and lets the controllers write as soon as the commit is there. */
  async function publishAnd(commit: string, status: object): Promise<unknown> {
    const [publishing] = await untilCommitted(world, () => world.publish(commit, cluster.cluster));
    await cluster.settle(world, status);
    return publishing;
  }

  it.each([
    [
      "suspended",
      { spec: { suspend: true } },
      { spec: { suspend: null } },
      /GitRepository flux-system\/flux-system is suspended/,
    ],
    [
      "wrong branch",
      { spec: { ref: { branch: "other" } } },
      { spec: { ref: { branch: "main" } } },
      /follows the branch other, and castle commits to main/,
    ],
  ])("Flux %s: 10 in preflight", async (_what, wrong, right, message) => {
    await cluster.patch(SOURCE, wrong);
    const failed = world.publish(COMMITS.first, cluster.cluster);
    await expect(failed).rejects.toMatchObject({
      code: "publish/flux",
      exitCode: 10,
      message: expect.stringMatching(message),
    });
    await expect(failed).rejects.toThrow("is not live and nothing was changed");
    await cluster.patch(SOURCE, right);
  });

  it("PSS denial, quota: 50 at once with the text", async () => {
    const denied = 'pods "web-1" is forbidden: exceeded quota: small, requested: pods=1';
    const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: denied }];
    await expect(publishAnd(COMMITS.first, { conditions })).rejects.toMatchObject({
      code: "publish/rollout",
      exitCode: 50,
      message: expect.stringMatching(
        /FailedCreate: .*exceeded quota: small[\s\S]*is committed .*not verified/,
      ),
    });
  });

  it.each([
    ["ImagePullBackOff", "Back-off pulling image", "Failed to pull image: unauthorized"],
    ["CrashLoopBackOff", "back-off 10s restarting", "nginx: [emerg] no such file"],
  ])("%s: 50 at once with the event's text", async (reason, message, event) => {
    const commit = reason === "ImagePullBackOff" ? COMMITS.second : COMMITS.third;
    const [publishing] = await untilCommitted(world, () => world.publish(commit, cluster.cluster));
    const image = /image: (\S+)/.exec(await world.manifest())?.[1] ?? "";
    const name = reason.toLowerCase();
    const pods = "/api/v1/namespaces/site-blog/pods";
    const metadata = { name, namespace: "site-blog", labels: { app: "web" } };
    const made = await cluster.server.api.call({
      method: "POST",
      path: pods,
      body: { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "web", image }] } },
    });
    const { uid } = z.object({ metadata: z.object({ uid: z.string() }) }).parse(made.body).metadata;
    await cluster.server.api.call({
      method: "POST",
      path: "/api/v1/namespaces/site-blog/events",
      body: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name, namespace: "site-blog" },
        involvedObject: { kind: "Pod", name, namespace: "site-blog", uid },
        type: "Warning",
        reason: "Failed",
        message: event,
        lastTimestamp: "2026-01-01T00:00:00Z",
      },
    });
    const containerStatuses = [
      {
        name: "web",
        image,
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { waiting: { reason, message } },
      },
    ];
    await cluster.patch(`${pods}/${name}/status`, { status: { containerStatuses } });
    await cluster.settle(world, { conditions: [] });
    await expect(publishing).rejects.toMatchObject({
      code: "publish/rollout",
      exitCode: 50,
      message: expect.stringContaining(`Pod site-blog/${name}: ${reason}: ${message}; ${event}`),
    });
    await cluster.server.api.call({ method: "DELETE", path: `${pods}/${name}?gracePeriodSeconds=0` });
  });

  it("someone commits after us, without our digest: superseded", async () => {
    await world.remote.commit({
      "clusters/fortress/blog.yaml": manifest(`${SITE.image}:${tagOf(COMMITS.first)}`),
    });
    const [publishing] = await untilCommitted(world, () => world.publish(COMMITS.second, cluster.cluster));
    await world.remote.commit({
      "clusters/fortress/blog.yaml": manifest(
        `${SITE.image}:${tagOf(COMMITS.third)}@sha256:${"0".repeat(64)}`,
      ),
    });
    await cluster.settle(world, {});
    await expect(publishing).rejects.toMatchObject({ code: "publish/superseded", exitCode: 50 });
  });

  it("cluster unreachable: 10 before anything is changed", async () => {
    const gone = new KubernetesApi(
      new Secret(cluster.server.kubeconfig.reveal().replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1")),
    );
    await expect(world.publish(COMMITS.third, { api: gone })).rejects.toMatchObject({ exitCode: 10 });
    gone.close();
  });
});
