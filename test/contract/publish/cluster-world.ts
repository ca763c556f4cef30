import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { applyObjects } from "../../../src/kubernetes/apply.ts";
import type { DeliveryCluster } from "../../../src/publish/delivery/delivery.ts";
import { type ApiServer, openApiServer } from "../../fixtures/api-server.ts";
import { part } from "../../fixtures/parts.ts";
import { manifest, type World } from "./world.ts";

const FLUX = "flux-system";
export const SOURCE = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLUX}/gitrepositories/${FLUX}`;
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

/** A real API server with Flux' objects, which nobody works on: tests put them into the states that are to be seen. */
export class ClusterWorld {
  readonly server: ApiServer;

  private constructor(server: ApiServer) {
    this.server = server;
  }

  static async open(options?: Parameters<typeof openApiServer>[0]): Promise<ClusterWorld> {
    const server = await openApiServer(options);
    await applyObjects(server.api, [...(await definitions()), namespace(FLUX), namespace("site-blog")]);
    await applyObjects(server.api, [gitRepository, kustomization]);
    return new ClusterWorld(server);
  }

  get cluster(): DeliveryCluster {
    return { api: this.server.api, source: { namespace: FLUX, name: FLUX } };
  }

  async patch(path: string, body: object): Promise<void> {
    const contentType = "application/merge-patch+json";
    await this.server.api.call({ method: "PATCH", path, body, contentType });
  }

  /** What the controllers would have written by now. */
  async settle(world: World, status: object): Promise<void> {
    const commit = (await world.remote.git("rev-parse", "main")).trim();
    const revision = `main@sha1:${commit}`;
    const artifact = {
      revision,
      digest: `sha256:${"0".repeat(64)}`,
      path: "x",
      url: "http://x/x",
      lastUpdateTime: "2026-01-01T00:00:00Z",
    };
    await this.patch(`${SOURCE}/status`, { status: { artifact } });
    await this.patch(`${SITES}/status`, {
      status: { lastAttemptedRevision: revision, lastAppliedRevision: revision },
    });
    const image = /image: (\S+)/.exec(await world.manifest())?.[1] ?? "";
    const deployments = parseAllDocuments(manifest(image)).map((one) => objectShape.parse(one.toJS()));
    await applyObjects(this.server.api, deployments, { force: true });
    const { generation } = z
      .object({ metadata: z.object({ generation: z.number() }) })
      .parse((await this.server.api.call({ path: WEB })).body).metadata;
    await this.patch(`${WEB}/status`, { status: { observedGeneration: generation, ...status } });
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

/** Until the work has made one commit in the manifests; its own end is the caller's to wait for. */
export async function untilCommitted(
  world: World,
  work: () => Promise<unknown>,
): Promise<Promise<unknown>[]> {
  const before = await world.remote.commits();
  const working = work();
  working.catch(() => {});
  await expect.poll(() => world.remote.commits(), { timeout: 60_000, interval: 10 }).toBe(before + 1);
  // In a list, because a promise that is returned is waited for.
  return [working];
}

async function definitions() {
  const root = await part("flux-manifests");
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".yaml"));
  const texts = await Promise.all(files.map((name) => readFile(join(root, name), "utf8")));
  return texts
    .flatMap((text) => parseAllDocuments(text).flatMap((one) => objectShape.safeParse(one.toJS()).data ?? []))
    .filter(({ kind }) => kind === "CustomResourceDefinition");
}
