import { exists } from "../../support/exists.ts";
import { spawn } from "node:child_process";
import { createHash, timingSafeEqual } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { dirname, join } from "node:path";
import { z } from "zod";
import { run } from "../../support/run.ts";
import { backendEnvironment, passResponse } from "./git-backend.ts";

export const gitServerShape = z.strictObject({
  host: z.string(),
  port: z.int().min(0).max(65_535),
  /** Folder of the bare repositories. */
  repositories: z.string(),
  /** File, mode 0600, with a "USER:TOKEN" for each kind of repository: an option of a command is for everybody to read. */
  login: z.string(),
});
export type GitServerOptions = Readonly<z.infer<typeof gitServerShape>>;

export interface GitServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Git's smart protocol and nothing else: NAME.git, in folders if wished, no part of which starts with a dot. */
const ADDRESS =
  /^\/(?<name>(?:[a-z0-9_][\w.-]{0,99}\/){0,4}[a-z0-9_][\w.-]{0,99}\.git)(?<call>\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/i;

/** Below it lie what sites are written in, which a cluster must know nothing of: its login opens none of them. */
const SOURCES = "sources/";

/**
 * Serves bare repositories by `git http-backend` to whoever knows the token of their kind, for reading and writing. A
 * repository exists as soon as somebody asks for it.
 * @throws Error if the login cannot be read or the port is taken
 */
export async function serveGit(options: GitServerOptions): Promise<GitServer> {
  const [castle = "", author = ""] = (await readFile(options.login, "utf8")).trim().split("\n");
  const repositories = new Repositories(options.repositories);
  const server = createServer((request, response) => {
    void answer(request, response, { castle, author, repositories, folder: options.repositories });
  });
  // A push takes as long as it takes; and Git's clients keep a connection for the time they think.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  await listen(server, options);
  const bound = server.address();
  return {
    port: bound === null || typeof bound === "string" ? options.port : bound.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Place {
  /** USER:TOKEN of what the cluster runs from. */
  readonly castle: string;
  /** USER:TOKEN of what sites are written in. */
  readonly author: string;
  readonly repositories: Repositories;
  readonly folder: string;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { castle, author, repositories, folder }: Place,
): Promise<void> {
  try {
    const login = [castle, author].find((one) => shows(request.headers.authorization, one));
    if (login === undefined) {
      refuse(request, response, { status: 401, text: "this needs the user and token of the lab" });
      return;
    }
    const url = new URL(request.url ?? "/", "http://git.lan");
    const { name, call } = ADDRESS.exec(decodeURI(url.pathname))?.groups ?? {};
    if (name === undefined || call === undefined || name.slice(0, -4).includes(".git/")) {
      refuse(request, response, { status: 404, text: "expected /NAME.git, by Git's smart protocol" });
      return;
    }
    if (name.startsWith(SOURCES) !== (login === author)) {
      refuse(request, response, { status: 403, text: "this login is for other repositories" });
      return;
    }
    await repositories.ensure(name);
    const [user = ""] = login.split(":");
    await passOn(request, response, backendEnvironment(request, { url, folder, path: name + call, user }));
  } catch (error) {
    if (response.headersSent) response.destroy();
    else
      refuse(request, response, {
        status: 500,
        text: error instanceof Error ? error.message : String(error),
      });
  }
}

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  // The kernel ends it with this server, however that ends: the program itself, of which `git` would start a child.
  const program = join(await execPath(), "git-http-backend");
  if (request.destroyed && !request.complete) return;
  const backend = spawn("setpriv", ["--pdeathsig", "KILL", program], {
    env: { ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  // Git may answer without reading all that was sent; that is its good right.
  backend.stdin.on("error", () => {});
  request.on("error", () => backend.stdin.destroy());
  // For what never comes it would ask again and again.
  request.on("close", () => {
    if (!request.complete) backend.kill("SIGKILL");
  });
  request.pipe(backend.stdin);
  // A client that went away gets no answer: Git notices at its next write.
  response.on("close", () => {
    if (!response.writableFinished) backend.stdout.destroy();
  });
  return new Promise((resolve, reject) => {
    backend.once("error", reject);
    backend.once("close", resolve);
    passResponse(backend.stdout, response).catch(reject);
  });
}

let found: Promise<string> | undefined;

/** The folder of Git's own programs. */
function execPath(): Promise<string> {
  found ??= run("git", ["--exec-path"]).then(({ stdout }) => stdout.trim());
  return found;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: { readonly status: number; readonly text: string },
): void {
  // What the client still sends is not read, so the connection cannot be used again.
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    connection: request.complete || request.method === "GET" ? "keep-alive" : "close",
    ...(status === 401 ? { "www-authenticate": 'Basic realm="castle lab", charset="UTF-8"' } : {}),
  });
  response.end(`${text}\n`);
  request.resume();
}

function shows(header: string | undefined, login: string): boolean {
  const shown = /^Basic +(\S+)$/i.exec(header ?? "")?.[1];
  if (shown === undefined) return false;
  return timingSafeEqual(digest(Buffer.from(shown, "base64")), digest(Buffer.from(login)));
}

function digest(text: Buffer): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The bare repositories in one folder. */
class Repositories {
  readonly #folder: string;
  readonly #making = new Map<string, Promise<void>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async ensure(name: string): Promise<void> {
    const making = this.#making.get(name) ?? this.#make(name).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    await making;
  }

  /** Made beside and moved into place: after a kill there is a whole repository or none. */
  async #make(name: string): Promise<void> {
    const path = join(this.#folder, name);
    if (await exists(path)) return;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const draft = await mkdtemp(join(this.#folder, ".new-"));
    try {
      await run("git", ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", draft], {
        timeout: 10_000,
      });
      await rename(draft, path);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
}

function listen(server: Server, { host, port }: GitServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
