import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lanNamespace } from "../../src/lab/namespaces.ts";
import { CastleCommand } from "../e2e/castle-command.ts";
import { faultOf, smallCastle } from "../e2e/platform-faults.ts";
import { canRunLab } from "../fixtures/parts.ts";
import { stopAfterFailure } from "../e2e/one-castle.ts";

const NAME = "t-worse";
const HOST = `blog.${NAME}.lan`;
/** A host that nobody has kept a certificate of. */
const OTHER = `shop.${NAME}.lan`;
const PORT = 14_001;

/** An ACME server that is met too often, as RFC 8555 and Let's Encrypt word it; arguments: its key and certificate. */
const LIMITED = `const at = "https://192.168.1.1:${PORT}";
const [key, cert] = process.argv.slice(1).map((path) => require("node:fs").readFileSync(path));
require("node:https").createServer({ key, cert }, (request, response) => {
  request.resume();
  request.on("end", () => {
    response.setHeader("Replay-Nonce", String(Math.random()));
    const say = (status, type, body) => response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
    if (request.url === "/directory") return say(200, "application/json", { newNonce: at + "/nonce", newAccount: at + "/account", newOrder: at + "/order" });
    if (request.url === "/account") { response.setHeader("Location", at + "/account/1"); return say(201, "application/json", { status: "valid" }); }
    if (request.url !== "/order") return response.writeHead(200).end();
    response.setHeader("Retry-After", "3600");
    say(429, "application/problem+json", { type: "urn:ietf:params:acme:error:rateLimited", detail: "too many certificates (5) already issued for this exact set of domains", status: 429 });
  });
}).listen(${PORT}, "0.0.0.0");`;

const corefile = z.object({ data: z.object({ Corefile: z.string() }) });

/** What takes a while to go wrong, or is told by others. */
describe.skipIf(!canRunLab)("a platform and its rarer faults", () => {
  let castle: CastleCommand;

  beforeAll(async () => {
    castle = await CastleCommand.prepare(NAME);
    await castle.spec(smallCastle());
    await castle.run("up", "--install-tools");
  });
  afterAll(() => castle.remove());

  stopAfterFailure();

  it("with a remote that declines a push: up tells its words, nothing of it is done", async () => {
    const repository = await findRepository(castle.labs.state);
    const hook = join(repository, "hooks", "pre-receive");
    await mkdir(join(repository, "hooks"), { recursive: true });
    await writeFile(hook, "#!/bin/sh\necho 'main is frozen until Monday' >&2\nexit 1\n");
    await chmod(hook, 0o755);
    await castle.spec(smallCastle({ ingress: "{ tls: { acme: letsencrypt, email: other@example.org } }" }));
    expect(await faultOf(castle, 1, "up")).toMatchObject({
      code: "gitops/declined",
      message: expect.stringContaining("main is frozen until Monday"),
    });
    await rm(hook);
    await castle.run("up");
  });

  it("with a remote that was set back: up puts its folder there again, and Flux follows", async () => {
    const repository = await findRepository(castle.labs.state);
    await execa("git", ["-C", repository, "update-ref", "refs/heads/main", "refs/heads/main~1"]);
    await castle.run("up");
    await castle.run("reconcile");
    const { stdout } = await execa("git", ["-C", repository, "grep", "other@example.org", "main"]);
    expect(stdout).toContain("certificates/config.yaml");
  });

  it("with a host that does not resolve: up names it and the record that it lacks", async () => {
    const read = ["-n", "kube-system", "get", "configmap", "coredns", "-o", "json"];
    const { data } = corefile.parse(JSON.parse(await castle.kubectl(...read)));
    const unknown = `${OTHER}:53 {\n    template IN ANY . {\n        rcode NXDOMAIN\n    }\n}\n`;
    await setCorefile(castle, unknown + data.Corefile);
    await castle.spec(smallCastle({ sites: `[{ name: blog, host: ${OTHER} }]` }));
    expect(await faultOf(castle, 1, "up")).toMatchObject({
      code: "platform/host-unreachable",
      message: expect.stringContaining(`${OTHER} does not resolve`),
      hint: expect.stringMatching(new RegExp(`give ${OTHER} an A record with 192\\.168\\.1\\.230`)),
    });
    await setCorefile(castle, data.Corefile);
    await castle.run("up");
  });

  it("with an authority that limits orders: up tells its words and when the castle tries again", async () => {
    const [key, certificate] = await privateAuthority(castle.folder);
    const node = [process.execPath, "-e", LIMITED, "--", key, certificate];
    const inside = [`--net=/run/netns/${lanNamespace(NAME)}`, "--", ...node];
    const server = execa("nsenter", inside, { reject: false });
    try {
      const acme = `https://192.168.1.1:${PORT}/directory`;
      const ca = JSON.stringify(await readFile(certificate, "utf8"));
      const tls = `{ acme: "${acme}", email: me@example.org, ca: ${ca} }`;
      await castle.spec(smallCastle({ ingress: `{ tls: ${tls} }` }));
      const told = await faultOf(castle, 1, "up");
      expect(told).toMatchObject({
        code: "platform/certificate-failed",
        message: expect.stringMatching(
          new RegExp(`${HOST} got no certificate: .*rateLimited.*tries again at`, "s"),
        ),
        hint: expect.stringContaining("letsencrypt-staging"),
      });
      // An hour, as the authority asked for.
      const next = Date.parse(/tries again at (\S+)/.exec(told.message)?.[1] ?? "");
      expect(next - Date.now()).toBeGreaterThan(50 * 60_000);
    } finally {
      server.kill();
      await server;
    }
    await castle.spec(smallCastle());
    await castle.run("up");
  });
});

/** @returns files with the key and the certificate of a server that signs for itself */
async function privateAuthority(folder: string): Promise<readonly [key: string, certificate: string]> {
  const [key, certificate] = [join(folder, "authority.key"), join(folder, "authority.crt")];
  const name = ["-subj=/CN=private", "-addext=subjectAltName=IP:192.168.1.1"];
  const kind = ["-newkey=ec", "-pkeyopt=ec_paramgen_curve:P-256", "-nodes", "-days=2"];
  await execa("openssl", ["req", "-x509", ...kind, ...name, `-keyout=${key}`, `-out=${certificate}`]);
  return [key, certificate];
}

/** The bare repository of the castle in the lab's state. */
async function findRepository(state: string): Promise<string> {
  const { stdout } = await execa("find", [state, "-maxdepth", "5", "-name", `${NAME}.git`]);
  if (stdout === "") throw new Error(`no repository below ${state}`);
  return stdout;
}

async function setCorefile(castle: CastleCommand, text: string): Promise<void> {
  const file = join(castle.folder, "corefile.json");
  await writeFile(file, JSON.stringify({ data: { Corefile: text } }));
  await castle.kubectl(
    "-n",
    "kube-system",
    "patch",
    "configmap",
    "coredns",
    "--type=merge",
    `--patch-file=${file}`,
  );
  await castle.kubectl("-n", "kube-system", "rollout", "restart", "deployment/coredns");
  await castle.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns");
}
