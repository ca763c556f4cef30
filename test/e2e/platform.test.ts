import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { TLSSocket } from "node:tls";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type RunningLab } from "../../src/lab/daemon/launch.ts";
import { census } from "../../src/lab/machine/census.ts";
import { poll } from "../../src/support/poll.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { userKustomization } from "../fixtures/user-kustomization.ts";
import { CastleCommand } from "./castle-command.ts";
import { type Node, bootsOf, nodesOf } from "./cluster.ts";
import { stopAfterFailure } from "./one-castle.ts";
import { serviceRules, servicesSynced } from "./service-rules.ts";
import { type PersonGit, cloneManifests, componentOverride } from "./person-git.ts";

const NAME = "t-fort";
const HOST = `blog.${NAME}.lan`;
const INGRESS = "192.168.1.230";
const FOLDER = `clusters/${NAME}`;

const raisedShape = z.object({
  kind: z.literal("CastleRaised"),
  platform: z.object({
    revision: z.string().regex(/^main@sha1:[0-9a-f]{40}$/),
    ingress: z.string(),
    sites: z.array(z.object({ name: z.string(), host: z.string(), url: z.string() })),
  }),
});
const reconciledShape = z.object({
  kind: z.literal("Reconciled"),
  revision: z.string(),
  components: z.array(z.string()),
  unconcerned: z.array(z.string()),
});
const openedShape = z.object({ kind: z.literal("SiteOpened"), host: z.literal(HOST), url: z.url() });
const deploymentsShape = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ replicas: z.number() }),
    }),
  ),
});

/** A user's own, of a repository that is not the castle's. */
const ELSEWHERE = userKustomization({
  name: "elsewhere",
  source: "elsewhere",
  path: "./",
  interval: "1m",
});

interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly issuer: string;
  readonly body: string;
}

/** One castle with a platform, in the order of its life: from nothing to a page, then through Git and by hand. */
describe.skipIf(!canRunLab)("a castle with a platform in the lab", () => {
  let castle: CastleCommand;
  let lab: RunningLab;
  let nodes: readonly Node[];
  let work: string;
  /** In a person's clone of the castle's repository, from outside of the LAN. */
  let git: PersonGit;
  const leftovers = () => census({ labs: { prefix: NAME }, states: castle.labs.states });

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    // The shortest file that has a platform.
    await castle.spec("gitops: {}\n");
    nodes = await nodesOf(castle);
    work = await mkdtemp(join(tmpdir(), "castle-fort-"));
  });

  afterAll(async () => {
    await castle.remove();
    await rm(work, { recursive: true, force: true });
  });

  stopAfterFailure();

  async function commit(path: string, content: string): Promise<string> {
    await git("pull", "-q", "--rebase", "origin", "main");
    await writeFile(join(work, path), content);
    await git("add", "-A");
    await git("commit", "-q", "-m", path);
    await git("push", "-q", "origin", "HEAD:main");
    return git("rev-parse", "HEAD");
  }

  /** As a visitor on the castle's network, who trusts the authority and nobody else. */
  async function visit(protocol: "http" | "https"): Promise<Page> {
    const { roots = "" } = lab.descriptor.lan.acme ?? {};
    const port = protocol === "https" ? 443 : 80;
    const door = await lab.control.call("forward", {
      name: `visit-${port}`,
      targets: [{ address: INGRESS, port }],
    });
    if (protocol === "http") {
      const asked = ["-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", `Host: ${HOST}`];
      const { stdout } = await run("curl", [...asked, `http://${door.host}:${door.port}/`]);
      const [status, location] = stdout.split(" ");
      return { status: Number(status), location, issuer: "", body: "" };
    }
    return new Promise((resolve, reject) => {
      const options = {
        ...door,
        path: "/",
        servername: HOST,
        headers: { host: HOST },
        ca: roots,
        agent: false,
      };
      const visitor = request(options, (response) => {
        const { socket } = response;
        const issuer = socket instanceof TLSSocket ? String(socket.getPeerCertificate().issuer.CN) : "";
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, location: response.headers.location, issuer, body }),
        );
      });
      visitor.on("error", reject);
      visitor.end();
    });
  }

  async function replicas(namespace: string, name: string): Promise<number | undefined> {
    const { items } = deploymentsShape.parse(
      JSON.parse(await castle.kubectl("get", "deployments", "-A", "-o", "json")),
    );
    return items.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)?.spec
      .replicas;
  }

  async function replicasBecome(count: number, within: number): Promise<void> {
    await poll(async () => ((await replicas("site-blog", "web")) === count ? true : undefined), {
      every: 500,
      within,
      onTimeout: () => new Error(`site-blog/web did not get ${count} replicas`),
    });
  }

  it("rises to a page over HTTPS with a certificate of its authority", async () => {
    const raised = await castle.ask(raisedShape, "up", "--install-tools");
    expect(raised.platform).toMatchObject({
      ingress: INGRESS,
      sites: [{ name: "blog", host: HOST, url: expect.stringMatching(/^http:\/\/blog\.localhost:\d+\/$/) }],
    });
    lab = await castle.lab();
    const page = await visit("https");
    expect(page).toMatchObject({ status: 200, issuer: expect.stringMatching(/^Pebble/) });
    expect(page.body).toContain("The castle stands");
    expect(await visit("http")).toMatchObject({ status: 301, location: `https://${HOST}/` });
  });

  it("opens in a browser of this machine as it stands", async () => {
    const opened = await castle.ask(openedShape, "open", "blog");
    // As a browser does, curl takes *.localhost for this machine without asking anybody.
    expect((await run("curl", ["-sS", opened.url])).stdout).toContain("The castle stands");
    expect((await run("curl", ["-sS", opened.url.replace("blog", "shop")])).stdout).toContain(opened.url);
  });

  it("spreads ingress and site over the workers, and runs them without root", async () => {
    for (const namespace of ["traefik", "site-blog"]) {
      const at = await castle.kubectl(
        "-n",
        namespace,
        "get",
        "pods",
        "-o",
        "jsonpath={.items[*].spec.nodeName}",
      );
      expect(new Set(at.split(" ")).size).toBe(2);
    }
    expect((await castle.try("status")).exitCode).toBe(0);
    expect((await castle.try("plan")).exitCode).toBe(0);
  });

  it("changes nothing when it is raised again", async () => {
    const boots = await bootsOf(castle, nodes);
    const pods = () => castle.kubectl("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}");
    const before = await pods();
    const { revision } = (await castle.ask(raisedShape, "up")).platform;
    expect((await castle.ask(raisedShape, "up")).platform.revision).toBe(revision);
    expect(await pods()).toBe(before);
    expect(await bootsOf(castle, nodes)).toEqual(boots);
  });

  it("follows a plain push to overrides, with nobody triggering", async () => {
    git = await cloneManifests(lab, NAME, work);
    await commit(`${FOLDER}/overrides/sites/kustomization.yaml`, override(3));
    await replicasBecome(3, 60_000);
    expect(await replicas("site-blog", "web")).toBe(3);
  });

  it("applies the next push at once by castle reconcile", async () => {
    const head = await commit(`${FOLDER}/overrides/sites/kustomization.yaml`, override(2));
    const { revision, components } = await castle.ask(reconciledShape, "reconcile");
    expect(revision).toBe(`main@sha1:${head}`);
    // A change of the sites wakes nothing else.
    expect(components).toEqual(["sites"]);
    expect(await replicas("site-blog", "web")).toBe(2);
  });

  it("keeps its Services when kube-proxy starts again and reads what the one before it wrote", async () => {
    const before = await Promise.all(nodes.map((node) => serviceRules(castle, node)));
    for (const rules of before) expect(rules).toContain(`${INGRESS} . tcp . 443`);
    const since = Date.now();
    await castle.kubectl(
      "-n",
      "kube-system",
      "delete",
      "pods",
      "-l",
      "k8s-app=kube-proxy",
      "--grace-period=1",
    );
    await Promise.all(nodes.map((node) => servicesSynced(castle, node, since)));
    expect(await Promise.all(nodes.map((node) => serviceRules(castle, node)))).toEqual(before);
    expect(await visit("https")).toMatchObject({ status: 200 });
  });

  it("waits for nothing that follows another repository", async () => {
    await castle.kubectl("apply", "-f", await castle.file("elsewhere.json", ELSEWHERE));
    const { components, unconcerned } = await castle.ask(reconciledShape, "reconcile");
    await castle.kubectl("delete", "-f", join(castle.folder, "elsewhere.json"));
    expect(unconcerned).toContain("sites");
    expect([...components, ...unconcerned]).not.toContain(ELSEWHERE.metadata.name);
  });

  it("heals what was changed by hand in the cluster", async () => {
    await castle.kubectl("-n", "site-blog", "scale", "deployment/web", "--replicas=5");
    await replicasBecome(2, 120_000);
    expect(await replicas("site-blog", "web")).toBe(2);
  });

  it("shows a hand edit in its own folder, and does not write over it unless told", async () => {
    const path = `${FOLDER}/castle/sites/site-blog.yaml`;
    const written = await readFile(join(work, path), "utf8");
    await commit(path, written.replace("maxUnavailable: 0", "maxUnavailable: 1"));
    const refused = await castle.try("up");
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(path);
    expect(refused.stderr).toContain("maxUnavailable: 1");
    expect((await castle.try("plan")).exitCode).toBe(3);
    await git("pull", "-q", "--rebase", "origin", "main");
    expect(await readFile(join(work, path), "utf8")).not.toBe(written);
    await castle.run("up", "--yes");
    await git("pull", "-q", "--rebase", "origin", "main");
    expect(await readFile(join(work, path), "utf8")).toBe(written);
    expect((await castle.try("plan")).exitCode).toBe(0);
  });

  it("goes and leaves nothing", async () => {
    await castle.run("down", "--yes");
    expect(await leftovers()).toEqual([]);
  });
});

function override(replicas: number): string {
  return componentOverride(
    { kind: "Deployment", name: "web" },
    `{ op: replace, path: /spec/replicas, value: ${replicas} }`,
  );
}
