import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { applyObjects } from "../../../src/kubernetes/apply.ts";
import { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { Secret } from "../../../src/support/secret.ts";
import { type ApiServer, openApiServer } from "../../fixtures/api-server.ts";
import { canRunLab, part } from "../../fixtures/parts.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { COMMITS, manifest, SITE, tagOf, World } from "./world.ts";

const FLUX = "flux-system";
const SOURCE = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLUX}/gitrepositories/${FLUX}`;
const SITES = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLUX}/kustomizations/sites`;
const WEB = "/apis/apps/v1/namespaces/site-blog/deployments/web";

const objectShape = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const gitRepository = {
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "GitRepository",
  metadata: { name: FLUX, namespace: FLUX },
  spec: { interval: "1m", url: "https://git.lan/k8s.git", ref: { branch: "main" } },
};

const kustomization = {
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "sites", namespace: FLUX },
  spec: {
    interval: "1m",
    prune: true,
    path: "./clusters/fortress",
    sourceRef: { kind: "GitRepository", name: FLUX },
  },
};

/** publish.md's rows of the cluster, whose objects are put into the states: each test is called as its row. */
describe.skipIf(!canRunLab)("a release and its cluster", () => {
  let registry: TestRegistry;
  let server: ApiServer;
  let world: World;

  beforeAll(async () => {
    registry = await openRegistry();
    server = await openApiServer();
    world = await World.open(registry);
    await applyObjects(server.api, [...(await definitions()), namespace(FLUX), namespace("site-blog")]);
    await applyObjects(server.api, [gitRepository, kustomization]);
  });
  afterAll(async () => {
    await world?.close();
    await server?.close();
    await registry?.close();
  });

  const cluster = () => ({ api: server.api, source: { namespace: FLUX, name: FLUX } });
  const patch = (path: string, body: object) =>
    server.api.call({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });

  /** What the controllers would have written by now. */
  async function settle(status: object): Promise<void> {
    const commit = (await world.remote.git("rev-parse", "main")).trim();
    const revision = `main@sha1:${commit}`;
    const artifact = {
      revision,
      digest: `sha256:${"0".repeat(64)}`,
      path: "x",
      url: "http://x/x",
      lastUpdateTime: "2026-01-01T00:00:00Z",
    };
    await patch(`${SOURCE}/status`, { status: { artifact } });
    await patch(`${SITES}/status`, {
      status: { lastAttemptedRevision: revision, lastAppliedRevision: revision },
    });
    const image = /image: (\S+)/.exec(await world.manifest())?.[1] ?? "";
    const deployments = parseAllDocuments(manifest(image)).map((one) => objectShape.parse(one.toJS()));
    await applyObjects(server.api, deployments, { force: true });
    const { generation } = z
      .object({ metadata: z.object({ generation: z.number() }) })
      .parse((await server.api.call({ path: WEB })).body).metadata;
    await patch(`${WEB}/status`, { status: { observedGeneration: generation, ...status } });
  }

  /** Publishes, and lets the controllers write as soon as the commit is there. */
  async function publishAnd(commit: string, status: object): Promise<unknown> {
    const before = await world.remote.commits();
    const publishing = world.publish(commit, cluster());
    publishing.catch(() => {});
    await expect.poll(() => world.remote.commits(), { timeout: 60_000 }).toBe(before + 1);
    await settle(status);
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
    await patch(SOURCE, wrong);
    const failed = world.publish(COMMITS.first, cluster());
    await expect(failed).rejects.toMatchObject({
      code: "publish/flux",
      exitCode: 10,
      message: expect.stringMatching(message),
    });
    await expect(failed).rejects.toThrow("is not live and nothing was changed");
    await patch(SOURCE, right);
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
    const before = await world.remote.commits();
    const publishing = world.publish(commit, cluster());
    publishing.catch(() => {});
    await expect.poll(() => world.remote.commits(), { timeout: 60_000 }).toBe(before + 1);
    const image = /image: (\S+)/.exec(await world.manifest())?.[1] ?? "";
    const name = reason.toLowerCase();
    const pods = "/api/v1/namespaces/site-blog/pods";
    const metadata = { name, namespace: "site-blog", labels: { app: "web" } };
    const made = await server.api.call({
      method: "POST",
      path: pods,
      body: { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "web", image }] } },
    });
    const { uid } = z.object({ metadata: z.object({ uid: z.string() }) }).parse(made.body).metadata;
    await server.api.call({
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
    await patch(`${pods}/${name}/status`, { status: { containerStatuses } });
    await settle({ conditions: [] });
    await expect(publishing).rejects.toMatchObject({
      code: "publish/rollout",
      exitCode: 50,
      message: expect.stringContaining(`Pod site-blog/${name}: ${reason}: ${message}; ${event}`),
    });
    await server.api.call({ method: "DELETE", path: `${pods}/${name}?gracePeriodSeconds=0` });
  });

  it("someone commits after us, without our digest: superseded", async () => {
    await world.remote.commit({
      "clusters/fortress/blog.yaml": manifest(`${SITE.image}:${tagOf(COMMITS.first)}`),
    });
    const before = await world.remote.commits();
    const publishing = world.publish(COMMITS.second, cluster());
    publishing.catch(() => {});
    await expect.poll(() => world.remote.commits(), { timeout: 60_000 }).toBe(before + 1);
    await world.remote.commit({
      "clusters/fortress/blog.yaml": manifest(
        `${SITE.image}:${tagOf(COMMITS.third)}@sha256:${"0".repeat(64)}`,
      ),
    });
    await settle({});
    await expect(publishing).rejects.toMatchObject({ code: "publish/superseded", exitCode: 50 });
  });

  it("cluster unreachable: 10 before anything is changed", async () => {
    const gone = new KubernetesApi(
      new Secret(server.kubeconfig.reveal().replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1")),
    );
    await expect(world.publish(COMMITS.third, { api: gone })).rejects.toMatchObject({ exitCode: 10 });
    gone.close();
  });
});

async function definitions() {
  const root = await part("flux-manifests");
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".yaml"));
  const texts = await Promise.all(files.map((name) => readFile(join(root, name), "utf8")));
  return texts
    .flatMap((text) => parseAllDocuments(text).flatMap((one) => objectShape.safeParse(one.toJS()).data ?? []))
    .filter(({ kind }) => kind === "CustomResourceDefinition");
}
