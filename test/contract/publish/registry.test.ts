import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseImageName, registryEndpoint } from "../../../src/image/image-name.ts";
import { findCredentials } from "../../../src/image/registry-credentials.ts";
import { RegistryClient } from "../../../src/image/registry-client.ts";
import { publish } from "../../../src/publish/publish.ts";
import { Secret } from "../../../src/support/secret.ts";
import { canRunLab } from "../../fixtures/parts.ts";
import type { Fault } from "../../fixtures/registry-front.ts";
import { openRegistry, type TestRegistry } from "../../fixtures/registry.ts";
import { COMMITS, tagOf, World } from "./world.ts";

const answer = (status: number, headers?: Record<string, string>, body?: string): Fault => ({
  kind: "answer",
  status,
  ...(headers === undefined ? {} : { headers }),
  ...(body === undefined ? {} : { body }),
});

async function authFile(folder: string, content: object): Promise<string> {
  const path = join(folder, "auth.json");
  await writeFile(path, JSON.stringify(content));
  return path;
}

/** publish.md's rows of the registry: each test is called as its row. */
describe.skipIf(!canRunLab)("a release and its registry", () => {
  let registry: TestRegistry;
  let world: World;
  const stays = "is not live and nothing was changed: blog-0000000 stays live";

  beforeAll(async () => {
    registry = await openRegistry();
  });
  afterAll(() => registry?.close());
  beforeEach(async () => {
    world = await World.open(registry);
  });
  afterEach(() => world.close());

  describe("registry 401/403, credential helper missing or hanging: 30 in preflight, name the source tried", () => {
    it.each([401, 403])("%i", async (status) => {
      world.front.fault = () => answer(status, { "www-authenticate": 'Basic realm="x"' });
      const { credentials, source } = await findCredentials({
        registry: "registry.lan",
        repository: "tazlab/blog",
        environment: {
          REGISTRY_AUTH_FILE: await authFile(world.folder, {
            auths: { "registry.lan": { auth: btoa("me:wrong") } },
          }),
        },
      });
      const client = new RegistryClient({
        endpoint: world.front.endpoint,
        credentials,
        credentialSource: source,
      });
      const failed = publish(await world.delivery({ registry: client }), world.options(COMMITS.first));
      await expect(failed).rejects.toMatchObject({
        code: "image/registry-refused",
        exitCode: 30,
        message: expect.stringMatching(/asked with auths\["registry\.lan"\] of .*auth\.json/),
      });
      await expect(failed).rejects.toThrow(stays);
      expect(await world.remote.commits()).toBe(1);
    });

    it.each([
      ["missing", "", /docker-credential-gone \(named in .*\) is not installed/],
      ["failing", "echo no keyring >&2; exit 1", /docker-credential-gone .*failed: no keyring/],
    ])("helper %s", async (_what, script, message) => {
      const path = join(world.folder, "bin");
      await mkdir(path);
      if (script !== "") {
        await writeFile(join(path, "docker-credential-gone"), `#!/bin/sh\n${script}\n`);
        await chmod(join(path, "docker-credential-gone"), 0o755);
      }
      const environment = {
        PATH: `${path}:/usr/bin:/bin`,
        REGISTRY_AUTH_FILE: await authFile(world.folder, { credHelpers: { "registry.lan": "gone" } }),
      };
      const search = { registry: "registry.lan", repository: "tazlab/blog", environment };
      await expect(findCredentials(search)).rejects.toMatchObject({
        code: "image/credentials",
        message: expect.stringMatching(message),
      });
    });

    it("helper hanging", async () => {
      const path = join(world.folder, "bin");
      await mkdir(path);
      await writeFile(join(path, "docker-credential-slow"), "#!/bin/sh\nexec sleep 60\n");
      await chmod(join(path, "docker-credential-slow"), 0o755);
      const environment = {
        PATH: `${path}:/usr/bin:/bin`,
        REGISTRY_AUTH_FILE: await authFile(world.folder, { credsStore: "slow" }),
      };
      const search = { registry: "registry.lan", repository: "tazlab/blog", environment };
      await expect(findCredentials(search)).rejects.toThrow(
        /docker-credential-slow .* did not answer in 10 s/,
      );
    });
  });

  it("token expires mid-push: re-authenticate, go on", async () => {
    let token = 0;
    const used = new Map<string, number>();
    world.front.fault = ({ path, authorization = "" }) => {
      if (path.startsWith("/token")) {
        token += 1;
        used.set(`Bearer t${token}`, 0);
        return answer(200, {}, JSON.stringify({ token: `t${token}` }));
      }
      const uses = used.get(authorization);
      used.set(authorization, (uses ?? 0) + 1);
      // Five requests, and the token is worth nothing any more.
      if (uses !== undefined && uses < 5) return undefined;
      const challenge = `Bearer realm="${world.front.endpoint}/token",service="registry"`;
      return answer(401, { "www-authenticate": challenge });
    };
    const credentials = { username: "me", password: new Secret("right") };
    const client = new RegistryClient({ endpoint: world.front.endpoint, credentials });
    await publish(await world.delivery({ registry: client }), world.options(COMMITS.first));
    expect(token).toBeGreaterThan(2);
    expect(await world.tags()).toContain(tagOf(COMMITS.first));
  });

  it("tag exists, same digest: success, skip", async () => {
    await world.publish(COMMITS.first);
    const before = world.front.uploaded();
    // The manifests forget it, as after a kill between registry and Git.
    await world.remote.commit({
      "clusters/fortress/blog.yaml": (await world.manifest()).replace(
        /blog-1{12}@sha256:\w+/,
        "blog-0000000",
      ),
    });
    const receipt = await world.publish(COMMITS.first);
    expect(receipt.registry).toMatchObject({ written: false, uploaded: { blobs: 0, bytes: 0 } });
    expect(world.front.uploaded()).toBe(before);
  });

  it("tag exists, other digest: 30, never overwrite", async () => {
    await world.publish(COMMITS.first);
    await world.remote.commit({
      "clusters/fortress/blog.yaml": (await world.manifest()).replace(
        /blog-1{12}@sha256:\w+/,
        "blog-0000000",
      ),
    });
    const digest = await registry.client.digest(world.repository, tagOf(COMMITS.first));
    const build = () => world.packed(COMMITS.first, { "index.html": "<h1>other</h1>" });
    const failed = publish(await world.delivery(), world.options(COMMITS.first, { build }));
    await expect(failed).rejects.toMatchObject({ code: "publish/tag-taken", exitCode: 30 });
    await expect(failed).rejects.toThrow(stays);
    expect(await registry.client.digest(world.repository, tagOf(COMMITS.first))).toBe(digest);
  });

  it("static tag anywhere in ours or the target: refuse", async () => {
    for (const tag of ["latest", "main", "v1"]) {
      await world.remote.commit({
        "clusters/fortress/blog.yaml": (await world.manifest()).replace(/blog:[^ ]+/, `blog:${tag}`),
      });
      await expect(world.publish(COMMITS.first)).rejects.toMatchObject({
        code: "publish/static-tag",
        exitCode: 40,
        message: expect.stringMatching(new RegExp(`blog\\.yaml:12 .* static tag ${tag}`)),
      });
    }
    // And without any tag, which means latest.
    await world.remote.commit({
      "clusters/fortress/blog.yaml": (await world.manifest()).replace(/blog:[^ ]+/, "blog"),
    });
    await expect(world.publish(COMMITS.first)).rejects.toThrow(/no tag at all/);
    expect(await world.tags()).toEqual([]);
  });

  describe("5xx, 429, digest invalid: bounded retry with jitter and Retry-After, that blob only", () => {
    it.each([
      ["503", answer(503)],
      ["429 with Retry-After", answer(429, { "retry-after": "0" })],
      ["digest invalid", answer(400, {}, JSON.stringify({ errors: [{ code: "DIGEST_INVALID" }] }))],
      ["a connection cut in the middle", { kind: "cut", after: 100_000 } as const],
    ])("%s", async (_what, fault) => {
      let faults = 0;
      const puts: string[] = [];
      world.front.fault = ({ method, path }) => {
        if (method !== "PUT" || !path.includes("/blobs/uploads/")) return undefined;
        puts.push(path);
        // The one large blob fails twice.
        if (faults >= 2 || !path.includes(largest)) return undefined;
        faults += 1;
        return fault;
      };
      const packed = await world.packed(COMMITS.first);
      const largest = encodeURIComponent(packed.layers.toSorted((a, b) => b.size - a.size)[0]?.digest ?? "");
      const receipt = await publish(
        await world.delivery(),
        world.options(COMMITS.first, { build: async () => packed }),
      );
      expect(faults).toBe(2);
      expect(puts.filter((path) => path.includes(largest))).toHaveLength(3);
      expect(puts.length).toBe((receipt.registry?.uploaded.blobs ?? 0) + 2);
      expect(await world.tags()).toContain(packed.tag);
    });

    it("and not for ever", async () => {
      let tries = 0;
      world.front.fault = ({ method, path }) => {
        if (method !== "PUT" || !path.includes("/blobs/uploads/")) return undefined;
        tries += 1;
        return answer(503, { "retry-after": "0" });
      };
      const failed = world.publish(COMMITS.first);
      await expect(failed).rejects.toMatchObject({ code: "image/registry-busy", exitCode: 30 });
      await expect(failed).rejects.toThrow(stays);
      expect(tries).toBeLessThanOrEqual(5 * 5);
      expect(await world.tags()).toEqual([]);
    });
  });

  it("an upload goes on where the registry says that it is", async () => {
    const size = 20 * 1024 * 1024;
    const { createHash, randomBytes } = await import("node:crypto");
    const { Readable } = await import("node:stream");
    const bytes = randomBytes(size);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    let patches = 0;
    world.front.fault = ({ method }) => {
      if (method !== "PATCH") return undefined;
      patches += 1;
      return patches === 2 ? { kind: "cut", after: 1_000_000 } : undefined;
    };
    const client = new RegistryClient({ endpoint: world.front.endpoint });
    const blob = { mediaType: "application/octet-stream", digest, size };
    const content = (start: number, end: number) =>
      Readable.from([bytes.subarray(start, end)], { objectMode: false });
    expect(await client.pushBlob({ repository: world.repository, blob, content })).toBe("uploaded");
    expect(await registry.client.hasBlob(world.repository, digest)).toBe(true);
    expect(world.front.uploaded()).toBeLessThan(size + 2_000_000);
    // What one repository of the registry has, another gets without a byte.
    const before = world.front.uploaded();
    const mounted = await client.pushBlob({
      repository: `${world.repository}-2`,
      blob,
      content,
      mountFrom: world.repository,
    });
    expect([mounted, world.front.uploaded()]).toEqual(["mounted", before]);
  });

  it("a name at Docker Hub: its registry, its token server, a tag of seven digits before", async () => {
    const image = "tazzo/tazlab.net";
    const hub = await World.open(registry, `${image}:blog-${COMMITS.first.slice(0, 7)}`);
    const REALM = "https://auth.docker.io/token";
    const basic = `Basic ${Buffer.from("tazzo:dckr").toString("base64")}`;
    hub.front.fault = ({ host, path, authorization }) => {
      if (host === "auth.docker.io") {
        const asked = new URL(path, REALM).searchParams;
        const fits =
          authorization === basic &&
          asked.get("service") === "registry.docker.io" &&
          asked.getAll("scope").join(" ").includes(`repository:${image}:pull`);
        return fits ? answer(200, {}, JSON.stringify({ token: "hub" })) : answer(401);
      }
      if (authorization === "Bearer hub") return undefined;
      const scope = `scope="repository:${image}:pull,push"`;
      return answer(401, {
        "www-authenticate": `Bearer realm="${REALM}",service="registry.docker.io",${scope}`,
      });
    };
    const auth = { auths: { "https://index.docker.io/v1/": { auth: basic.slice("Basic ".length) } } };
    const environment = { REGISTRY_AUTH_FILE: await authFile(hub.folder, auth) };
    const name = parseImageName(image);
    const { credentials } = await findCredentials({ ...name, environment });
    const { port } = new URL(hub.front.endpoint);
    // The names are Docker Hub's, the way behind them leads to the stand-in.
    const dispatcher = new Agent({
      connect: (_options, callback) => {
        const socket = connect(Number(port), "127.0.0.1", () => callback(null, socket));
        socket.once("error", (error) => callback(error, null));
      },
    });
    try {
      const client = new RegistryClient({
        endpoint: registryEndpoint(name.registry),
        credentials,
        dispatcher,
      });
      const site = { name: "blog", host: "blog.tazlab.net", image };
      const receipt = await publish(
        await hub.delivery({ site, image: name, registry: client }),
        hub.options(COMMITS.second),
      );
      expect(await hub.manifest()).toContain(
        ` image: ${image}:${tagOf(COMMITS.second)}@${receipt.digest} # written by castle`,
      );
      expect(receipt.manifests.previous).toBe(`blog-${COMMITS.first.slice(0, 7)}`);
      expect(await registry.client.tags(image)).toContain(tagOf(COMMITS.second));
      const hosts = new Set(hub.front.asked.map(({ host }) => host));
      expect([...hosts].toSorted()).toEqual(["auth.docker.io", "registry-1.docker.io"]);
    } finally {
      await dispatcher.close();
      await hub.close();
    }
  });

  it("only changed layers are uploaded, and the SBOM is found beside its image", async () => {
    await world.publish(COMMITS.first);
    const first = world.front.uploaded();
    const receipt = await world.publish(COMMITS.second);
    expect(world.front.uploaded() - first).toBeLessThan(10_000);
    expect(receipt.registry?.uploaded.bytes).toBe(world.front.uploaded() - first);
    const { bytes } = await registry.client.manifest(world.repository, receipt.digest.replace(":", "-"));
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
      manifests: [{ digest: expect.stringMatching(/^sha256:/) }],
    });
  });
});
