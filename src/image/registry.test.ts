import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../support/secret.ts";
import { pullImage } from "./image-pull.ts";
import { parseImageReference } from "./image-reference.ts";
import { RegistryClient } from "./registry-client.ts";
import { parseRegistryChallenge } from "./registry-challenge.ts";

let home: string;
const servers: Server[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "castle-registry-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.closeAllConnections();
  await rm(home, { recursive: true, force: true });
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

describe("image references", () => {
  it.each([
    [
      "ghcr.io/siderolabs/talos:v1.11.5",
      { registry: "ghcr.io", repository: "siderolabs/talos", reference: "v1.11.5" },
    ],
    ["localhost:5000/a:b", { registry: "localhost:5000", repository: "a", reference: "b" }],
  ])("parse %s", (text, expected) => {
    expect(parseImageReference(text)).toEqual(expected);
  });

  it.each(["blog", "tazlab/blog:v1", "registry.lan/blog", "registry.lan/Blog:v1", "registry.lan/blog:"])(
    "refuse %s",
    (text) => {
      expect(() => parseImageReference(text)).toThrow(/expected registry\/repository:tag/);
    },
  );
});

describe("challenges", () => {
  it("give realm, service and scope", () => {
    const header =
      'Bearer realm="https://auth.lan/token",service="registry.lan",scope="repository:a/b:pull,push"';
    expect(parseRegistryChallenge(header)).toEqual({
      scheme: "bearer",
      realm: "https://auth.lan/token",
      service: "registry.lan",
      scope: "repository:a/b:pull,push",
    });
  });

  it("are unknown where nothing that we speak is offered", () => {
    expect(parseRegistryChallenge("Negotiate abc")).toBeUndefined();
  });
});

describe("authorization", () => {
  const index = JSON.stringify({ schemaVersion: 2, manifests: [] });

  it("fetches a token with the credentials and does not send it to another host on a redirect", async () => {
    const seen: (string | undefined)[] = [];
    const storage = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end("blob");
    });
    let asked = "";
    const endpoint = await serve((request, response) => {
      if (request.url?.startsWith("/token") === true) {
        asked = `${request.url} ${request.headers.authorization}`;
        response.end(JSON.stringify({ token: "t0ken" }));
      } else if (request.headers.authorization !== "Bearer t0ken") {
        const challenge = `Bearer realm="${endpoint}/token",service="s",scope="repository:a:pull"`;
        response.writeHead(401, { "www-authenticate": challenge }).end();
      } else {
        response.writeHead(307, { location: `${storage}/blob` }).end();
      }
    });
    const credentials = { username: "u", password: new Secret("p") };
    const blob = await new RegistryClient({ endpoint, credentials }).blob("a", "sha256:00");
    expect(Buffer.concat(await blob.toArray()).toString()).toBe("blob");
    expect(asked).toBe(`/token?service=s&scope=repository%3Aa%3Apull Basic ${btoa("u:p")}`);
    expect(seen).toEqual([undefined]);
  });

  it("answers Basic with Basic, and says so when there are no credentials", async () => {
    const endpoint = await serve((request, response) => {
      if (request.headers.authorization === `Basic ${btoa("u:p")}`) response.end(index);
      else response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });
    const credentials = { username: "u", password: new Secret("p") };
    const manifest = await new RegistryClient({ endpoint, credentials }).manifest("a", "b");
    expect(Buffer.from(manifest.bytes).toString()).toBe(index);
    await expect(new RegistryClient({ endpoint }).manifest("a", "b")).rejects.toMatchObject({
      code: "image/registry-refused",
    });
    const wrong = { username: "u", password: new Secret("no") };
    const refused = new RegistryClient({ endpoint, credentials: wrong }).manifest("a", "b");
    await expect(refused).rejects.toMatchObject({ code: "image/registry-refused" });
  });
});

describe("a registry that is not there or lies", () => {
  it("is named as unreachable", async () => {
    const client = new RegistryClient({ endpoint: "http://127.0.0.1:1" });
    await expect(client.manifest("a", "b")).rejects.toMatchObject({
      code: "image/registry-unreachable",
      message: expect.stringContaining("127.0.0.1:1 does not answer: ECONNREFUSED"),
    });
  });

  it("is caught when a blob's content is not what its digest says, and nothing is kept", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const blob = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 3 };
    const manifest = JSON.stringify({ schemaVersion: 2, config: blob, layers: [] });
    const endpoint = await serve((request, response) => {
      response.end(request.url?.includes("/manifests/") === true ? manifest : "bad");
    });
    const options = { repository: "a", reference: "b", architecture: "amd64", folder: home } as const;
    await expect(pullImage(new RegistryClient({ endpoint }), options)).rejects.toMatchObject({
      code: "image/digest-mismatch",
    });
    await expect(readFile(join(home, "index.json"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
