import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { RegistryClient } from "../../../src/image/registry-client.ts";
import { findCredentials } from "../../../src/image/registry-credentials.ts";
import { castleSecrets } from "../../../src/kubernetes/castle-secrets.ts";
import type { PullLogin } from "../../../src/kubernetes/pull-secret.ts";
import { keepPullLogin, restorePullSecrets } from "../../../src/lifecycle/fortify/pull-logins.ts";
import type { Delivery } from "../../../src/publish/delivery/delivery.ts";
import { publish } from "../../../src/publish/publish.ts";
import { encryptedFileStore } from "../../../src/secrets/encrypted-file.ts";
import { ageIdentity } from "../../../src/secrets/identity.ts";
import { Secret } from "../../../src/support/secret.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import { openRegistry, REGISTRY_LOGIN, type TestRegistry } from "../../fixtures/registry.ts";
import { ClusterWorld } from "./cluster-world.ts";
import { COMMITS, World } from "./world.ts";

const SITE_SECRETS = "/api/v1/namespaces/site-blog/secrets";
const ACCOUNTS = "/api/v1/namespaces/site-blog/serviceaccounts";

const secretShape = z.object({
  type: z.string(),
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.base64()),
});
const podShape = z.object({
  spec: z.object({ imagePullSecrets: z.array(z.object({ name: z.string() })).optional() }),
});
const configShape = z.object({
  auths: z.record(z.string(), z.object({ username: z.string(), password: z.string(), auth: z.string() })),
});

/** A registry that lets nobody in without a login, and a cluster whose nodes have none. */
describe.skipIf(!canRunLab)("a private image", () => {
  let isPrivate: TestRegistry;
  let isPublic: TestRegistry;
  let cluster: ClusterWorld;
  let world: World;
  let kept: PullLogin[];

  beforeAll(async () => {
    [isPrivate, isPublic, cluster] = await Promise.all([
      openRegistry({ isPrivate: true }),
      openRegistry(),
      ClusterWorld.open({ accounts: true }),
    ]);
  });
  afterAll(async () => {
    await isPrivate?.close();
    await isPublic?.close();
    await cluster?.close();
  });
  beforeEach(() => {
    kept = [];
  });
  afterEach(async () => {
    await world.close();
    const { api } = cluster.server;
    const paths = [`${SITE_SECRETS}/castle-pull-blog`, `${ACCOUNTS}/default`];
    await Promise.all(paths.map((path) => api.call({ method: "DELETE", path })));
  });

  /** Publishes until the release is committed: nobody works on this cluster. @returns how it ended */
  async function published(registry: TestRegistry, more: Partial<Delivery> = {}): Promise<unknown> {
    world = await World.open(registry);
    const { username, password } = REGISTRY_LOGIN;
    const file = join(world.folder, "auth.json");
    const auth = btoa(`${username}:${password}`);
    await writeFile(file, JSON.stringify({ auths: { "registry.lan": { auth } } }));
    const { credentials, source } = await findCredentials({
      registry: "registry.lan",
      repository: world.repository,
      environment: { REGISTRY_AUTH_FILE: file },
    });
    if (credentials === undefined) throw new Error(source);
    const endpoint = world.front.endpoint;
    const committed = new AbortController();
    const delivery = await world.delivery({
      cluster: cluster.cluster,
      registry: new RegistryClient({ endpoint, credentials, credentialSource: source }),
      pull: {
        credentials,
        source,
        anonymous: new RegistryClient({ endpoint }),
        keep: async (login) => void kept.push(login),
      },
      report: (event) => {
        world.events.push(event);
        if (event.type === "finished" && event.id === "publish-gitops") committed.abort();
      },
      signal: committed.signal,
      ...more,
    });
    return publish(delivery, world.options(COMMITS.first)).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  const read = async (path: string) => (await cluster.server.api.call({ path })).body;

  /** What the API server makes of a pod of this account that names no pull secret itself. */
  async function newPod(name: string): Promise<readonly string[]> {
    const { body } = await cluster.server.api.call({
      method: "POST",
      path: "/api/v1/namespaces/site-blog/pods",
      body: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { automountServiceAccountToken: false, containers: [{ name: "web", image: "x" }] },
      },
    });
    return (podShape.parse(body).spec.imagePullSecrets ?? []).map((one) => one.name);
  }

  it("gets a pull secret that castle lists as its own, and every new pod names it", async () => {
    await published(isPrivate);
    const secret = secretShape.parse(await read(`${SITE_SECRETS}/castle-pull-blog`));
    expect(secret.type).toBe("kubernetes.io/dockerconfigjson");
    const config = Buffer.from(secret.data[".dockerconfigjson"] ?? "", "base64").toString();
    const { username, password } = REGISTRY_LOGIN;
    // For this image alone: the same login may open more.
    expect(configShape.parse(JSON.parse(config)).auths).toEqual({
      [`registry.lan/${world.repository}`]: { username, password, auth: btoa(`${username}:${password}`) },
    });
    expect(await castleSecrets(cluster.server.api)).toMatchObject([
      { namespace: "site-blog", name: "castle-pull-blog" },
    ]);
    expect(await newPod("one")).toEqual(["castle-pull-blog"]);
    expect(kept).toMatchObject([{ scope: `registry.lan/${world.repository}`, username }]);
  });

  it("and nothing of the login stands in Git, in what castle says or in the image", async () => {
    const failure = await published(isPrivate);
    expect(await world.manifest()).toMatch(/blog-[0-9a-f]{12}@sha256:/);
    const { password, username } = REGISTRY_LOGIN;
    const said = JSON.stringify([world.events, failure, String(failure)]);
    const git = await world.remote.git("log", "-p", "--all");
    const texts = [said, git];
    for (const word of [password, btoa(`${username}:${password}`)]) {
      expect(texts.filter((text) => text.includes(word))).toEqual([]);
    }
  });

  it("leaves the account's other pull secrets, and changes nothing the second time", async () => {
    await cluster.server.api.call({
      method: "POST",
      path: ACCOUNTS,
      body: {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default" },
        imagePullSecrets: [{ name: "of-the-house" }],
      },
    });
    await published(isPrivate);
    const first = await read(`${ACCOUNTS}/default`);
    expect(await newPod("two")).toEqual(["of-the-house", "castle-pull-blog"]);
    await world.close();
    await published(isPrivate);
    expect(await read(`${ACCOUNTS}/default`)).toEqual(first);
  });

  it("that everybody may pull needs none, and none is put", async () => {
    await published(isPublic);
    expect(await castleSecrets(cluster.server.api)).toEqual([]);
    expect(kept).toEqual([]);
  });

  it("with an identity token, which no kubelet understands, warns", async () => {
    await published(isPrivate, {
      pull: {
        credentials: { identityToken: new Secret("x") },
        source: "a helper",
        anonymous: new RegistryClient({ endpoint: isPrivate.endpoint }),
        keep: undefined,
      },
    });
    expect(world.events).toContainEqual({
      type: "warning",
      message: expect.stringContaining("identity token, which no kubelet understands"),
    });
    expect(await castleSecrets(cluster.server.api)).toEqual([]);
  });

  it("is pulled again in a castle that is raised again, from what the secret store kept", async () => {
    await published(isPrivate);
    const store = encryptedFileStore({
      path: join(world.folder, "castle.secrets.age"),
      identity: (locked) => ageIdentity(join(world.folder, "identity"), undefined, locked),
      now: () => new Date(),
    });
    for (const login of kept) await keepPullLogin(store, "blog", login);
    const before = secretShape.parse(await read(`${SITE_SECRETS}/castle-pull-blog`));
    const { api } = cluster.server;
    await api.call({ method: "DELETE", path: `${SITE_SECRETS}/castle-pull-blog` });
    await api.call({ method: "DELETE", path: `${ACCOUNTS}/default` });
    const signal = new AbortController().signal;
    expect(await restorePullSecrets({ sites: ["blog", "other"], store, signal }, api)).toEqual(["blog"]);
    expect(secretShape.parse(await read(`${SITE_SECRETS}/castle-pull-blog`)).data).toEqual(before.data);
    expect(await newPod("again")).toEqual(["castle-pull-blog"]);
  });
});
