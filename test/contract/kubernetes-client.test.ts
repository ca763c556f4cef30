import { mkdtemp, rm } from "node:fs/promises";
import { type Server, createServer } from "node:https";
import { Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { stringify } from "yaml";
import { serverCertificate } from "../../src/lab/hypervisor/certificate.ts";
import { Secret } from "../../src/support/secret.ts";
import { KubernetesApi } from "../../src/kubernetes/api.ts";
import { withServer } from "../../src/kubernetes/kubeconfig.ts";

const folder = await mkdtemp(join(tmpdir(), "castle-api-"));
const { certificate, key } = await serverCertificate(folder);
await rm(folder, { recursive: true });
const servers: Server[] = [];
let api: KubernetesApi | undefined;

afterEach(() => {
  api?.close();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server that says its name until it falls silent. */
async function controlPlane(name: string) {
  let silent = false;
  const server = createServer({ cert: certificate, key }, (_request, response) => {
    if (!silent) response.end(JSON.stringify({ name }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server has no TCP port");
  return {
    url: `https://127.0.0.1:${bound.port}`,
    /** As a machine that loses its power: connections stay, nobody answers, nobody accepts. */
    losePower: () => {
      silent = true;
      // Without what Node adds to it: an end of the connections that are kept.
      TcpServer.prototype.close.call(server);
    },
    restart: () => {
      server.close();
    },
  };
}

function kubeconfig(first: string, ...others: readonly string[]): Secret {
  const document = {
    "current-context": "castle",
    contexts: [{ name: "castle", context: { cluster: "castle", user: "admin" } }],
    clusters: [
      {
        name: "castle",
        cluster: {
          server: "https://replaced:1",
          "certificate-authority-data": Buffer.from(certificate).toString("base64"),
        },
      },
    ],
    users: [{ name: "admin", user: { token: "secret" } }],
  };
  return withServer(new Secret(stringify(document)), first, others);
}

it("asks another control plane where the first does not accept", async () => {
  const [lost, other] = [await controlPlane("lost"), await controlPlane("other")];
  lost.losePower();
  api = new KubernetesApi(kubeconfig(lost.url, other.url));
  expect((await api.call({ path: "/" })).body).toEqual({ name: "other" });
});

it("asks another one when a connection that was kept falls silent", async () => {
  const [first, other] = [await controlPlane("first"), await controlPlane("other")];
  api = new KubernetesApi(kubeconfig(first.url, other.url));
  expect((await api.call({ path: "/" })).body).toEqual({ name: "first" });
  first.losePower();
  expect((await api.call({ path: "/" })).body).toEqual({ name: "other" });
  expect((await api.call({ method: "POST", path: "/" })).body).toEqual({ name: "other" });
});

it("asks another one when a connection that was kept is closed", async () => {
  const [first, other] = [await controlPlane("first"), await controlPlane("other")];
  api = new KubernetesApi(kubeconfig(first.url, other.url));
  await api.call({ path: "/" });
  first.restart();
  expect((await api.call({ path: "/" })).body).toEqual({ name: "other" });
});

it("does not ask twice for what may happen only once", async () => {
  const [first, other] = [await controlPlane("first"), await controlPlane("other")];
  api = new KubernetesApi(kubeconfig(first.url, other.url));
  await api.call({ path: "/" });
  first.losePower();
  await expect(api.call({ method: "POST", path: "/", within: 4_000 })).rejects.toMatchObject({
    code: "kubernetes/unreachable",
  });
});

it("believes only who shows the castle's certificate", async () => {
  const only = await controlPlane("only");
  const stranger = new Secret(
    kubeconfig(only.url)
      .reveal()
      .replace(/certificate-authority-data: .*/, ""),
  );
  api = new KubernetesApi(stranger);
  await expect(api.call({ path: "/" })).rejects.toMatchObject({ code: "kubernetes/unreachable" });
});
