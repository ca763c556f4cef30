import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { dashboards } from "../../src/platform/monitoring/dashboards.ts";
import { usage } from "../../src/lab/machine/usage.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { askEtcd, type Node, nodesOf, status, statusIs } from "../e2e/cluster.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { AlertListener } from "./alert-listener.ts";
import { stopAfterFailure } from "../e2e/one-castle.ts";

const NAME = "t-mon";
const HOST = "blog.t-mon.test";
const PORT = 9999;
const SPEC = `loadBalancer: { pool: 192.168.1.230-192.168.1.239 }
ingress: { tls: { acme: letsencrypt, email: me@example.org } }
gitops: {}
monitoring: { prometheus: true, grafana: true, webhook: "http://192.168.1.1:${PORT}/alerts" }
sites: [{ name: blog, host: ${HOST}, source: ., image: registry.lan/castle/blog }]
`;

/** Milliseconds. */
const MINUTE = 60_000;

const answerShape = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** Faults made by hand in a castle that is watched, and what its webhook is told of them. */
describe.skipIf(!canRunLab)("a castle that is watched", () => {
  let castle: CastleCommand;
  let planes: readonly Node[];
  let listener: AlertListener;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec(SPEC);
    planes = (await nodesOf(castle)).filter(({ role }) => role === "controlplane");
  });
  afterAll(async () => {
    await listener?.close();
    await castle.remove();
  });

  stopAfterFailure();

  async function query(expr: string) {
    const path = `/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query=${encodeURIComponent(expr)}`;
    return answerShape.parse(JSON.parse(await castle.kubectl("get", "--raw", path))).data.result;
  }

  const firing = async () =>
    (await query('ALERTS{alertstate="firing"}')).map(({ metric }) => metric["alertname"] ?? "").sort();

  const told = (...names: readonly string[]) =>
    until(
      `the webhook is told of ${names.join(", ")}`,
      6,
      () => names.every((name) => listener.names("firing").includes(name)),
      () => listener.alerts,
    );

  async function silent() {
    let last: readonly string[] = [];
    await until(
      "every alert is over",
      8,
      async () => (last = await firing().catch(() => ["no answer"])).length === 0,
      () => last,
    );
  }

  it("rises with its monitoring, without Grafana, and says so", async () => {
    const { exitCode, stdout, stderr } = await castle.try("up", "--install-tools");
    expect(stdout + stderr).toContain("Grafana is left out");
    expect([exitCode, stderr.split("\n").slice(-6)]).toEqual([0, expect.anything()]);
    listener = new AlertListener(NAME, PORT);
  });

  it("answers on every target", async () => {
    let down: readonly unknown[] = [];
    await until(
      "every target is up",
      4,
      async () => {
        down = (await query("up == 0")).map(({ metric }) => [metric["job"], metric["node"]]);
        const jobs = new Set((await query("count by (job) (up)")).map(({ metric }) => metric["job"]));
        return (
          down.length === 0 &&
          ["etcd", "traefik", "exporter", "acme", "kustomize-controller"].every((job) => jobs.has(job))
        );
      },
      () => down,
    );
    const jobs = await query("count by (job) (up)");
    expect(Object.fromEntries(jobs.map(({ metric, value }) => [metric["job"], value[1]]))).toMatchObject({
      apiserver: "3",
      containers: "5",
      "controller-manager": "3",
      etcd: "3",
      exporter: "1",
      kubelet: "5",
      node: "5",
      scheduler: "3",
      "source-controller": "1",
      traefik: "2",
    });
    let sources: readonly unknown[] = [];
    await until(
      "the exporter's sources answer",
      2,
      async () => {
        const told = await query("castle_source_up");
        sources = told.map(({ metric, value }) => [metric["source"], value[1]]);
        return told.length === 3 && told.every(({ value }) => value[1] === "1");
      },
      () => sources,
    );
  });

  it("has data for every panel of every dashboard", async () => {
    const queries = dashboards.flatMap(({ name, panels }) =>
      panels.map(({ query }) => [name, query] as const),
    );
    expect(queries.length).toBeGreaterThan(30);
    for (const [name, expr] of queries) {
      await until(
        `dashboard ${name} shows ${expr}`,
        3,
        async () => (await query(expr)).length > 0,
        () => expr,
      );
    }
  });

  it("is silent while nothing is amiss", async () => {
    await until(
      "two minutes were watched",
      4,
      async () => (await query('time() - process_start_time_seconds{job="prometheus"} > 120')).length > 0,
      () => "",
    );
    expect(await query('max_over_time(ALERTS{alertstate="firing"}[10m])')).toEqual([]);
    expect(listener.alerts).toEqual([]);
  });

  it("needs at most 6 GiB of memory", async () => {
    const memory = (await usage(NAME)).reduce((sum, machine) => sum + machine.memory, 0) / 1024 ** 3;
    console.log(`${memory.toFixed(2)} GiB`);
    expect(memory).toBeLessThanOrEqual(6);
  });

  it("tells of a ghost, a Flux that stopped or cannot read, a site that is down and a certificate that ends", async () => {
    // Flux first: it would mend the others.
    await castle.kubectl("-n", "flux-system", "scale", "deployment/kustomize-controller", "--replicas=0");
    const wrong = JSON.stringify({ stringData: { password: "wrong" } });
    await castle.kubectl("-n", "flux-system", "patch", "secret", "git-access", "-p", wrong);
    await askEtcd(castle, planes, [
      "member",
      "add",
      "ghost",
      "--learner",
      "--peer-urls=https://192.168.1.250:2380",
    ]);
    await castle.kubectl(
      "-n",
      "site-blog",
      "patch",
      "secret",
      "web-tls",
      "--patch-file",
      await shortCertificate(),
    );
    await told("EtcdGhostMember", "CertificateExpiring");
    await castle.kubectl("-n", "site-blog", "scale", "deployment/web", "--replicas=0");
    await told("SiteDown", "FluxStopped", "FluxStalled");
    expect(listener.names("firing")).toEqual([
      "CertificateExpiring",
      "EtcdGhostMember",
      "FluxStalled",
      "FluxStopped",
      "SiteDown",
    ]);
  });

  it("is silent again when they are gone", async () => {
    const [ghost] = await query('castle_etcd_member{known="false"}');
    await askEtcd(castle, planes, ["member", "remove", ghost?.metric["id"] ?? ""]);
    await castle.kubectl("-n", "site-blog", "delete", "secret", "web-tls");
    await castle.kubectl("-n", "flux-system", "scale", "deployment/kustomize-controller", "--replicas=1");
    await castle.run("up");
    await silent();
    await until(
      "the webhook is told",
      3,
      () => listener.names("resolved").length === 5,
      () => listener.alerts,
    );
    expect(listener.names("resolved")).toEqual(listener.names("firing"));
  });

  it("tells of a quorum at risk, of a lost one, and of a VIP that nobody holds", async () => {
    const holder = (await status(castle))?.vip.holder ?? "";
    const other = planes.find(({ name }) => name !== holder)?.name ?? "";
    await castle.run("lab", "power", "cut", other);
    await told("EtcdQuorumAtRisk");
    await castle.run("lab", "power", "cut", holder);
    await told("EtcdQuorumLost", "VipWithoutHolder");
    for (const name of [holder, other]) await castle.run("lab", "power", "on", name);
    await statusIs(castle, ({ healthy }) => healthy, "healthy with its control planes back");
    await silent();
    expect(await firing()).toEqual([]);
  });

  /** A patch with a certificate of the site's own that ends in ten days. */
  async function shortCertificate(): Promise<string> {
    const [key, certificate, patch] = ["short.key", "short.crt", "short.json"].map((name) =>
      join(castle.folder, name),
    );
    if (key === undefined || certificate === undefined || patch === undefined) throw new Error("no paths");
    await run("openssl", [
      "req",
      "-x509",
      "-nodes",
      "-days=10",
      "-newkey=ec",
      "-pkeyopt=ec_paramgen_curve:P-256",
      "-subj=/CN=short",
      `-addext=subjectAltName=DNS:${HOST}`,
      `-keyout=${key}`,
      `-out=${certificate}`,
    ]);
    const [keyText, text] = await Promise.all([key, certificate].map((path) => base64(path)));
    expect(new X509Certificate(Buffer.from(text ?? "", "base64")).checkHost(HOST)).toBe(HOST);
    await writeFile(patch, JSON.stringify({ data: { "tls.crt": text, "tls.key": keyText } }), {
      mode: 0o600,
    });
    return patch;
  }
});

async function until(
  what: string,
  minutes: number,
  holds: () => Promise<boolean> | boolean,
  last: () => unknown,
) {
  await poll(async () => ((await holds()) ? true : undefined), {
    every: 2_000,
    within: minutes * MINUTE,
    onTimeout: () => new Error(`${what}, not within ${minutes} minutes: ${JSON.stringify(last())}`),
  });
}

async function base64(path: string): Promise<string> {
  return (await readFile(path)).toString("base64");
}
