import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverCertificate } from "../../src/lab/hypervisor/certificate.ts";
import { castleSecrets } from "../../src/kubernetes/castle-secrets.ts";
import type { KubernetesApi } from "../../src/kubernetes/api.ts";
import { escrowCertificates, restoreCertificates } from "../../src/lifecycle/certificates/escrow.ts";
import { certificateStates } from "../../src/lifecycle/certificates/state.ts";
import { encryptedFileStore } from "../../src/secrets/encrypted-file.ts";
import { ageIdentity } from "../../src/secrets/identity.ts";
import { parseSpec } from "../../src/spec/parse.ts";
import { poll } from "../../src/support/poll.ts";
import { type ApiServer, freePorts, openApiServer } from "../fixtures/api-server.ts";
import { canRunLab, part } from "../fixtures/parts.ts";

const SITE = { name: "blog", host: "blog.tazlab.net" };
const SPEC = `castle: fortress
hypervisor: lab
loadBalancer: { pool: 192.168.1.230-192.168.1.239 }
ingress: { tls: { acme: "https://127.0.0.1/dir", email: me@example.org } }
gitops: { repository: https://git.lan/tazlab-k8s.git }
sites:
  - { name: ${SITE.name}, host: ${SITE.host}, source: ../blog-src, image: registry.lan/tazlab/blog }
`;

const now = () => new Date();

/** The real ACME controller and the real pebble, on two clusters one after the other: real API servers. */
describe.skipIf(!canRunLab)("certificates over a rebuild", () => {
  let folder: string;
  let directory: string;
  const ends: (() => Promise<void>)[] = [];
  const store = () =>
    encryptedFileStore({
      path: join(folder, "x.secrets.age"),
      identity: (locked) => ageIdentity(join(folder, "identity"), undefined, locked),
      now,
    });
  const orders = async () =>
    (await readFile(join(folder, "pebble.log"), "utf8")).match(/Added order/g)?.length ?? 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "castle-certificates-"));
    directory = await pebble();
  });
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
    await rm(folder, { recursive: true, force: true });
  });

  it("are kept when they are issued, and given back to a new cluster, which orders none", async () => {
    const first = await cluster("first");
    expect(await castleSecrets(first.api)).toEqual([]);
    const host = { api: first.api, sites: [SITE], now: now() };
    expect(await restoreCertificates({ ...host, store: store(), directory })).toEqual([]);
    await controller("first", first);
    await valid(first.api);
    expect(await orders()).toBe(1);
    const escrow = { ...host, now: now() };
    expect(await escrowCertificates({ ...escrow, store: store() })).toEqual([SITE.host]);
    expect(await escrowCertificates({ ...escrow, store: store() })).toEqual([]);
    expect((await castleSecrets(first.api)).map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      "certificates/acme-account",
      "site-blog/web-tls",
    ]);

    const second = await cluster("second");
    const rebuilt = { ...escrow, api: second.api, store: store() };
    expect(await restoreCertificates({ ...rebuilt, directory: "https://elsewhere/dir" })).toEqual([]);
    expect(await restoreCertificates({ ...rebuilt, directory })).toEqual([SITE.host]);
    expect(await restoreCertificates({ ...rebuilt, directory })).toEqual([]);
    await controller("second", second);
    const [state] = await valid(second.api);
    expect(state).toMatchObject({ host: SITE.host, secret: "site-blog/web-tls", daysLeft: 89 });
    expect(await orders()).toBe(1);
    const names = (await castleSecrets(second.api)).map(({ name }) => name);
    // Not even an account was made.
    expect(names).toEqual(["web-tls"]);
  });

  it("are pending before the controller has said anything", async () => {
    const server = await openApiServer();
    ends.push(() => server.close());
    expect(await certificateStates(server.api, castle(), { now: now() })).toMatchObject([
      { host: SITE.host, state: "pending" },
    ]);
  });

  async function cluster(name: string): Promise<ApiServer> {
    const server = await openApiServer();
    ends.push(() => server.close());
    for (const namespace of ["certificates", ...(name === "first" ? ["site-blog"] : [])]) {
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
      expect((await server.api.call({ method: "POST", path: "/api/v1/namespaces", body })).status).toBe(201);
    }
    return server;
  }

  async function controller(name: string, { kubeconfig }: ApiServer): Promise<void> {
    const [port] = await freePorts(1);
    const config = join(folder, `${name}.yaml`);
    const access = join(folder, `${name}.kubeconfig`);
    const hosts = [{ host: SITE.host, namespace: "site-blog", secret: "web-tls" }];
    const caBundle = await readFile(join(folder, "tls.pem"), "utf8");
    await writeFile(config, stringify({ directory, email: "me@example.org", caBundle, hosts }));
    await writeFile(access, kubeconfig.reveal(), { mode: 0o600 });
    // Nobody leads the host here, which the controller finds out before each order.
    await start(await part("acme"), `${name}.log`, {
      args: [
        `-config=${config}`,
        `-kubeconfig=${access}`,
        `-listen=127.0.0.1:${port}`,
        "-check-patience=1ms",
      ],
      env: { POD_NAMESPACE: "certificates" },
    });
  }

  /** It believes every challenge: whether they are answered is what the tests of the controller and of the LAN show. */
  async function pebble(): Promise<string> {
    const [port, management] = await freePorts(2);
    await serverCertificate(folder, "IP:127.0.0.1");
    const tls = join(folder, "tls.pem");
    const settings = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: tls,
      privateKey: tls,
      profiles: { default: { description: "90 days", validityPeriod: 90 * 86_400 } },
    };
    await writeFile(join(folder, "pebble.json"), JSON.stringify({ pebble: settings }));
    await start(await part("pebble"), "pebble.log", {
      args: ["-config", join(folder, "pebble.json")],
      env: { PEBBLE_VA_ALWAYS_VALID: "1", PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
    });
    return `https://127.0.0.1:${port}/dir`;
  }

  interface Program {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  }

  async function start(program: string, log: string, { args, env }: Program): Promise<void> {
    const output = await open(join(folder, log), "a", 0o600);
    const child: ChildProcess = spawn(program, args, { env, stdio: ["ignore", output.fd, output.fd] });
    await output.close();
    ends.push(async () => {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    });
  }
});

function castle() {
  const parsed = parseSpec(SPEC, "castle.yaml");
  if ("faults" in parsed) throw new Error(parsed.faults.map(({ message }) => message).join("; "));
  return parsed.castle;
}

async function valid(api: KubernetesApi) {
  return poll(
    async () => {
      const states = await certificateStates(api, castle(), { now: now() });
      return states.every(({ state }) => state === "valid") ? states : undefined;
    },
    { every: 200, within: 60_000, onTimeout: () => new Error("no certificate") },
  );
}
