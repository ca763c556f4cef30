import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { TLSSocket } from "node:tls";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census } from "../../src/lab/machine/census.ts";
import { run } from "../../src/support/run.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { sopsFile } from "../fixtures/sops-file.ts";
import { CastleCommand } from "./castle-command.ts";
import { cloneManifests, manifestsUrl } from "./person-git.ts";
import { holds, secretsOf } from "./secrets.ts";

const NAME = "t-cert";
const HOST = `blog.${NAME}.lan`;
const INGRESS = "192.168.1.230";

const certsShape = z.object({
  certificates: z.array(z.object({ host: z.string(), state: z.literal("valid"), daysLeft: z.literal(89) })),
});
const namesShape = z.object({
  secrets: z.array(z.object({ name: z.string(), pending: z.literal(false) })),
  cluster: z.array(z.object({ namespace: z.string(), name: z.string() })),
});
const recipientShape = z.object({ sopsRecipient: z.string() });
const loginShape = z.object({ answers: z.literal(true) });

/** One castle, twice raised: what it has to keep to come back as the same to its visitors. */
describe.skipIf(!canRunLab)("a castle that is rebuilt", () => {
  let castle: CastleCommand;
  let before: Visit;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec("nodes: { controlPlanes: { count: 1 }, workers: { count: 2 } }\ngitops: {}\n");
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  it("has kept its certificate and all else that may not lie in Git", async () => {
    expect((await castle.ask(certsShape, "certs")).certificates).toMatchObject([{ host: HOST }]);
    const { secrets, cluster } = await castle.ask(namesShape, "secrets");
    const kept = [`certificate-${HOST}`, "kubeconfig", "sops-age-key", "talos-secrets", "talosconfig"];
    expect(secrets.map(({ name }) => name)).toEqual(expect.arrayContaining(kept));
    const flux = ["flux-system/git-access", "flux-system/sops-age"];
    expect(cluster.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(
      expect.arrayContaining(["certificates/acme-account", ...flux, "site-blog/web-tls"]),
    );
    before = await visit(castle);
    expect(await orders(castle)).toBe(1);
  });

  it("has no secret in its repository", async () => {
    const lab = await castle.lab();
    const token = lab.descriptor.lan.git?.token ?? "";
    const url = manifestsUrl(lab, NAME);
    const mirror = `${castle.folder}/mirror.git`;
    await run("git", ["clone", "-q", "--mirror", url, mirror], { env: { GIT_TERMINAL_PROMPT: "0" } });
    const { stdout } = await run("git", ["-C", mirror, "log", "--all", "-p", "--format=%B"]);
    expect(stdout).toContain("kustomization");
    expect(holds(stdout, [...(await secretsOf(castle)), token])).toBe(false);
    await rm(mirror, { recursive: true });
  });

  it("opens a Secret that its owner encrypted for it in Git", async () => {
    const { sopsRecipient } = await castle.ask(recipientShape, "secrets");
    const folder = `${castle.folder}/manifests`;
    await mkdir(folder);
    const git = await cloneManifests(await castle.lab(), NAME, folder);
    const overrides = `${folder}/clusters/${NAME}/overrides/sites`;
    const own = { namespace: "site-blog", name: "own", stringData: { greeting: "from its owner" } };
    await writeFile(`${overrides}/own.yaml`, await sopsFile(own, sopsRecipient, new Date()));
    const component =
      "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [own.yaml]\n";
    await writeFile(`${overrides}/kustomization.yaml`, component);
    await git("add", "-A");
    await git("commit", "-qm", "A Secret of my own");
    await git("push", "-q", "origin", "HEAD:main");
    await castle.run("reconcile");
    const greeting = "jsonpath={.data.greeting}";
    const opened = await castle.kubectl("-n", "site-blog", "get", "secret", "own", "-o", greeting);
    expect(Buffer.from(opened, "base64").toString()).toBe("from its owner");
    expect(await git("log", "-p", "--all")).not.toContain("from its owner");
  });

  it("opens to another machine that has the spec and the identity", async () => {
    const elsewhere = await castle.elsewhere();
    try {
      await run("cp", [`${castle.folder}/${NAME}.secrets.age`, elsewhere.folder]);
      elsewhere.env["CASTLE_AGE_IDENTITY"] = `${castle.folder}/config/castle/identity`;
      await elsewhere.ask(loginShape, "login");
      expect((await elsewhere.kubectl("get", "nodes", "-o", "name")).split("\n")).toHaveLength(3);
    } finally {
      await rm(elsewhere.folder, { recursive: true });
    }
  });

  it("comes back with the same certificate, and asks the authority for nothing", async () => {
    await castle.run("down", "--yes");
    await castle.run("up");
    const after = await visit(castle);
    expect(after).toEqual(before);
    expect(await orders(castle)).toBe(0);
    expect((await castle.ask(certsShape, "certs")).certificates).toMatchObject([{ host: HOST }]);
    await castle.run("down", "--yes");
    expect(await census({ labs: { name: NAME }, states: castle.labs.states })).toEqual([]);
  });
});

async function orders(castle: CastleCommand): Promise<number> {
  const lab = await castle.lab();
  const log = await readFile(lab.descriptor.lan.acme?.log ?? "", "utf8");
  expect(log).toContain("Pebble");
  return log.match(/Added order/g)?.length ?? 0;
}

interface Visit {
  readonly status: number | undefined;
  readonly certificate: string;
}

/** Believes the roots that the lab knows and nobody else. */
async function visit(castle: CastleCommand): Promise<Visit> {
  const lab = await castle.lab();
  const targets = [{ address: INGRESS, port: 443 }];
  const door = await lab.control.call("forward", { name: "visit", targets });
  const { roots = "" } = lab.descriptor.lan.acme ?? {};
  return new Promise((resolve, reject) => {
    const asked = request(
      { ...door, path: "/", servername: HOST, headers: { host: HOST }, ca: roots, agent: false },
      (response) => {
        const { socket, statusCode } = response;
        const raw = socket instanceof TLSSocket ? socket.getPeerCertificate().raw : Buffer.alloc(0);
        response.resume();
        resolve({ status: statusCode, certificate: new X509Certificate(raw).fingerprint256 });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}
