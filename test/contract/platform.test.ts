import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyObjects } from "../../src/kubernetes/apply.ts";
import { waitForCondition } from "../../src/kubernetes/conditions.ts";
import { renderOverrides } from "../../src/platform/overrides.ts";
import { renderPlatform } from "../../src/platform/render.ts";
import { parseSpec } from "../../src/spec/parse.ts";
import { run } from "../../src/support/run.ts";
import { type ApiServer, openApiServer } from "../fixtures/api-server.ts";
import { canRunLab, part } from "../fixtures/parts.ts";

const SPEC = `castle: fortress
hypervisor: { proxmox: { endpoint: "https://pve.lan:8006", node: pve } }
network: { cidr: 192.168.1.0/24, gateway: 192.168.1.1, vip: 192.168.1.210 }
nodes: { controlPlanes: { count: 3, from: 192.168.1.211 }, workers: { count: 2, from: 192.168.1.214 } }
loadBalancer: { pool: 192.168.1.230-192.168.1.239 }
ingress: { tls: { acme: letsencrypt, email: me@example.org } }
gitops: { repository: https://git.lan/tazlab-k8s.git }
registry: registry.lan/tazlab
monitoring: { prometheus: true, grafana: true, webhook: secret }
sites:
  - { name: blog, host: blog.tazlab.net, source: ../blog-src, image: registry.lan/tazlab/blog }
`;

const objectShape = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type Built = z.infer<typeof objectShape>;

/** The namespaces whose pods may do what "restricted" refuses: who answers ARP, and who measures the nodes. */
const PRIVILEGED: ReadonlySet<string | undefined> = new Set(["metallb-system", "node-exporter"]);

describe.skipIf(!canRunLab)("the rendered platform", () => {
  let server: ApiServer;
  let folder: string;
  /** Component → its objects, put together by the real kustomize, overrides included. */
  let built: ReadonlyMap<string, readonly Built[]>;
  const all = () => [...built.values()].flat();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-platform-"));
    built = await build(folder);
    server = await openApiServer();
    await applyObjects(server.api, all().filter(isFirst));
  });

  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("passes the API server's dry run, every object of it", async () => {
    const applied = await applyObjects(server.api, all(), { dryRun: true });
    expect(applied).toHaveLength(all().length);
    const warned = applied.filter(({ warnings }) => warnings.length > 0);
    expect(warned.map(({ object, warnings }) => [object.metadata, warnings])).toEqual([]);
  });

  it("runs no pod that Pod Security refuses, and asks for more than restricted only for the nodes' own network and files", async () => {
    const pods = all().flatMap(podOf);
    expect(pods.length).toBeGreaterThanOrEqual(12);
    await applyObjects(server.api, pods, { dryRun: true });
    const levels = all()
      .filter(({ kind }) => kind === "Namespace")
      .map(
        ({ metadata }) =>
          [metadata.name, z.record(z.string(), z.string()).parse(metadata["labels"])] as const,
      )
      .map(([name, labels]) => [name, labels["pod-security.kubernetes.io/enforce"]]);
    const expected = levels.map(([name]) => [name, PRIVILEGED.has(name) ? "privileged" : "restricted"]);
    expect(levels).toEqual(expected);
  });

  it("the dry run is one that can fail: a pod that is root is refused in a site's namespace", async () => {
    const root = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "root", namespace: "site-blog" },
      spec: { containers: [{ name: "root", image: "x" }] },
    };
    await expect(applyObjects(server.api, [root], { dryRun: true })).rejects.toMatchObject({
      code: "kubernetes/rejected",
      message: expect.stringContaining("violates PodSecurity"),
    });
  });

  it("applying again changes nothing, and a field that is somebody else's stays his", async () => {
    const path = "/api/v1/namespaces/site-blog/configmaps/shared";
    const version = async () =>
      objectShape.parse((await server.api.call({ path })).body).metadata["resourceVersion"];
    await applyObjects(server.api, [config("one")]);
    const first = await version();
    await applyObjects(server.api, [config("one")]);
    expect(await version()).toBe(first);
    await server.api.call({
      method: "PATCH",
      path: `${path}?fieldManager=other`,
      body: { data: { value: "two" } },
      contentType: "application/merge-patch+json",
    });
    await expect(applyObjects(server.api, [config("one")])).rejects.toMatchObject({
      code: "kubernetes/conflict",
      message: expect.stringContaining('"other"'),
    });
    await applyObjects(server.api, [config("one")], { force: true });
    await applyObjects(server.api, [config("one")]);
  });

  it("a GitRepository that cannot be cloned is told in Flux' own words, at once", async () => {
    const repository = all().find(
      ({ kind, metadata }) => kind === "GitRepository" && metadata.name === "flux-system",
    );
    if (repository === undefined) throw new Error("no GitRepository is rendered");
    await applyObjects(server.api, [repository]);
    const path =
      "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system/status";
    const says = (condition: object) =>
      server.api.call({
        method: "PATCH",
        path,
        body: {
          status: {
            conditions: [
              {
                type: "Ready",
                lastTransitionTime: "2026-01-01T00:00:00Z",
                observedGeneration: 1,
                ...condition,
              },
            ],
          },
        },
        contentType: "application/merge-patch+json",
      });
    await says({
      status: "False",
      reason: "GitOperationFailed",
      message: "failed to checkout and determine revision: authentication required",
    });
    const wait = { condition: "Ready", within: 20_000, patience: 500 };
    await expect(waitForCondition(server.api, repository, wait)).rejects.toMatchObject({
      code: "kubernetes/not-ready",
      message:
        "GitRepository flux-system/flux-system is not Ready: GitOperationFailed: failed to checkout and determine revision: authentication required",
    });
    await says({ status: "True", reason: "Succeeded", message: "stored artifact" });
    await waitForCondition(server.api, repository, wait);
    const aborted = { ...wait, signal: AbortSignal.abort() };
    await expect(waitForCondition(server.api, repository, aborted)).rejects.toMatchObject({
      code: "command/interrupted",
    });
  });
});

async function build(folder: string): Promise<ReadonlyMap<string, readonly Built[]>> {
  const parsed = parseSpec(SPEC, "castle.yaml");
  if ("faults" in parsed) throw new Error("the spec has faults");
  const { castle } = parsed;
  const surroundings = { repository: { url: "https://git.lan/tazlab-k8s.git", secret: "git-access" } };
  const platform = renderPlatform(castle, await platformSources(), surroundings);
  const generated = `${castle.gitops?.path}/castle`;
  const files = [
    ...[...platform].map(([path, text]) => [`${generated}/${path}`, text] as const),
    ...renderOverrides(castle),
  ];
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const kubectl = await part("kubectl");
  const components = await readdir(join(folder, generated));
  const entries = await Promise.all(
    components.map(async (name) => {
      const { stdout } = await run(kubectl, ["kustomize", join(folder, generated, name)]);
      const objects = parseAllDocuments(stdout).map((document) => objectShape.parse(document.toJS()));
      return [name, objects] as const;
    }),
  );
  return new Map(entries);
}

function isFirst({ kind }: Built): boolean {
  return kind === "CustomResourceDefinition" || kind === "Namespace";
}

function config(value: string) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "shared", namespace: "site-blog" },
    data: { value },
  };
}

/** The upstream projects' own YAML, as the parts carry it. */
async function platformSources() {
  const sources: Record<string, string> = {};
  for (const name of ["flux-manifests", "metallb-manifests", "traefik-crds"]) {
    const root = await part(name);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) sources[`${name}/${relative(root, path)}`] = await readFile(path, "utf8");
    }
  }
  return sources;
}

const templateShape = z.object({
  spec: z.object({
    template: z.object({ metadata: z.looseObject({}), spec: z.looseObject({}) }),
  }),
});

/** The pod that a workload would make: workloads themselves are only warned of. */
function podOf({ metadata, ...rest }: Built): Built[] {
  const { data } = templateShape.safeParse(rest);
  if (data === undefined) return [];
  const { namespace, name } = metadata;
  const { metadata: podMetadata, spec } = data.spec.template;
  return [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...podMetadata, name, ...(namespace === undefined ? {} : { namespace }) },
      spec,
    },
  ];
}
