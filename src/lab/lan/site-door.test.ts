import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { type Server, createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serverCertificate } from "../hypervisor/certificate.ts";
import { type Agent, runAgent } from "./agent.ts";
import { SiteDoor } from "./site-door.ts";

const HOST = "blog.fortress.lan";

let folder: string;
let agent: Agent;
let ingress: Server;
let ingressPort: number;
let roots: string;
let door: SiteDoor;

/** What a browser is told at that address; it says the name of the address as its Host. */
interface Seen {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly body: string;
}

function browse(port: number, host: string, path = "/"): Promise<Seen> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers: { host: `${host}:${port}` } }, (answer) => {
      text(answer).then(
        (body) => resolve({ status: answer.statusCode, location: answer.headers.location, body }),
        reject,
      );
    }).on("error", reject);
  });
}

function opened(): SiteDoor {
  return new SiteDoor({
    socket: join(folder, "agent.sock"),
    file: join(folder, "site-door.json"),
    roots: () => roots,
    port: ingressPort,
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "castle-door-"));
  agent = await runAgent({ socket: join(folder, "agent.sock"), dialTimeout: 2_000 });
  const { certificate } = await serverCertificate(join(folder, "tls"), `DNS:${HOST}`);
  roots = certificate;
  const both = await readFile(join(folder, "tls", "tls.pem"));
  ingress = createServer({ cert: both, key: both }, (asked, answer) => {
    if (asked.url === "/moved") {
      answer.writeHead(301, { location: `https://${HOST}/posts/` }).end();
      return;
    }
    answer.end(`${asked.headers.host} ${asked.url}`);
  });
  ingressPort = await new Promise((resolve) => {
    ingress.listen(0, "127.0.0.1", () => {
      const bound = ingress.address();
      resolve(typeof bound === "object" ? (bound?.port ?? 0) : 0);
    });
  });
  door = opened();
});

afterEach(async () => {
  await door.close();
  ingress.closeAllConnections();
  ingress.close();
  await agent.close();
  await rm(folder, { recursive: true });
});

const SITES = [{ name: "blog", host: HOST, address: "127.0.0.1" }];

it("shows a site under NAME.localhost, and asks the ingress by its real name", async () => {
  const port = await door.lead(SITES);
  expect(await browse(port, "blog.localhost", "/posts/?page=2")).toMatchObject({
    status: 200,
    body: `${HOST} /posts/?page=2`,
  });
});

it("keeps a redirect to the site's own host where the browser is", async () => {
  const port = await door.lead(SITES);
  expect(await browse(port, "blog.localhost", "/moved")).toMatchObject({
    status: 301,
    location: `http://blog.localhost:${port}/posts/`,
  });
});

it("names the sites that there are where another is asked for", async () => {
  const port = await door.lead(SITES);
  const { status, body } = await browse(port, "shop.localhost");
  expect(status).toBe(404);
  expect(body).toContain(`http://blog.localhost:${port}/`);
});

it("does not show what a certificate of another authority vouches for", async () => {
  const port = await door.lead(SITES);
  roots = (await serverCertificate(join(folder, "other"), `DNS:${HOST}`)).certificate;
  const { status, body } = await browse(port, "blog.localhost");
  expect(status).toBe(502);
  expect(body).toContain("cannot be reached");
});

it("says why where the ingress is away", async () => {
  const port = await door.lead(SITES);
  ingress.closeAllConnections();
  await new Promise((resolve) => ingress.close(resolve));
  expect(await browse(port, "blog.localhost")).toMatchObject({ status: 502 });
});

it("opens again on the same port", async () => {
  const port = await door.lead(SITES);
  await door.close();
  door = opened();
  await door.resume();
  expect(await browse(port, "blog.localhost")).toMatchObject({ status: 200 });
});
