import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import { Refusal } from "./refusal.ts";
import { type InfisicalIdentity, InfisicalRoutes } from "./routes.ts";
import { Vault } from "./vault.ts";

export interface InfisicalOptions {
  /** Keeps secrets and identity over restarts; mode 0700. */
  readonly folder: string;
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
}

export interface InfisicalServer extends InfisicalIdentity {
  readonly url: string;
  close(): Promise<void>;
}

const identityShape = z.object({ project: z.string(), clientId: z.string(), clientSecret: z.string() });

/**
 * A stand-in of Infisical on the loopback, for labs and tests. It belongs to no lab: what it keeps has to outlive the
 * castle, as a real Infisical does.
 */
export async function serveInfisical({ folder, port }: InfisicalOptions): Promise<InfisicalServer> {
  const [vault, identity] = await Promise.all([
    Vault.open(join(folder, "vault.json")),
    ensureIdentity(join(folder, "identity.json")),
  ]);
  const routes = new InfisicalRoutes(vault, identity);
  const server = createServer((request, response) => void serve(routes, request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  return {
    ...identity,
    url: `http://127.0.0.1:${bound === null || typeof bound === "string" ? port : bound.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function ensureIdentity(file: string): Promise<InfisicalIdentity> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return identityShape.parse(JSON.parse(kept));
  const made = {
    project: randomUUID(),
    clientId: randomUUID(),
    clientSecret: randomBytes(32).toString("hex"),
  };
  await writeFileAtomic(file, `${JSON.stringify(made, undefined, 2)}\n`);
  return made;
}

async function serve(
  routes: InfisicalRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", headers } = request;
  const url = new URL(request.url ?? "/", "http://infisical");
  const say = (status: number, document: unknown) => {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(document));
  };
  try {
    const answer = await routes.answer({
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: method === "GET" ? undefined : await json(request),
      authorization: headers.authorization,
    });
    say(200, answer);
  } catch (error) {
    const reqId = `req-${randomBytes(6).toString("base64url")}`;
    if (error instanceof Refusal) {
      const { status: statusCode, message, kind } = error;
      say(statusCode, { reqId, statusCode, message, error: kind });
    } else if (error instanceof z.ZodError) {
      say(422, { reqId, statusCode: 422, error: "ValidationFailure", message: error.issues });
    } else {
      say(500, { reqId, statusCode: 500, error: "InternalServerError", message: "Something went wrong" });
    }
  }
}
