import type { IncomingMessage, ServerResponse } from "node:http";
import { type Server, createServer } from "node:https";
import type { HypervisorSettings } from "../settings.ts";
import { ApiError } from "./api-error.ts";
import { type Input, parseForm, parseJsonBody } from "./input.ts";
import { type Route, matchRoute } from "./route.ts";
import { authenticate } from "./token.ts";

const PREFIX = "/api2/json/";
const BODY_LIMIT = 1024 * 1024;

export interface ApiServerOptions {
  readonly settings: HypervisorSettings;
  readonly routes: readonly Route[];
  /** PEM of private key and certificate. */
  readonly key: string;
  readonly certificate: string;
  /** One line for each call that changes something or fails; never parameters, they may hold secrets. */
  readonly log: (line: string) => void;
}

/** The HTTPS server of the API, not yet listening. HTTP/1.1 only, because errors travel in the reason phrase. */
export function createApiServer(options: ApiServerOptions): Server {
  const server = createServer(
    { key: options.key, cert: options.certificate, minVersion: "TLSv1.3", requestTimeout: 30_000 },
    (request, response) => {
      void serve(options, request, response);
    },
  );
  return server;
}

async function serve(
  options: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/" } = request;
  const [path = "/"] = url.split("?");
  try {
    const data = await answer(options, request);
    if (method !== "GET") options.log(`${method} ${path} 200`);
    send(response, 200, "OK", { data: data ?? null });
  } catch (error) {
    const fault = error instanceof ApiError ? error : internalError(error);
    const reason = reasonPhrase(fault.message);
    options.log(`${method} ${path} ${fault.status} ${reason}`);
    send(response, fault.status, reason, {
      data: null,
      message: `${fault.message}\n`,
      ...(Object.keys(fault.errors).length === 0 ? {} : { errors: fault.errors }),
    });
  }
}

async function answer(options: ApiServerOptions, request: IncomingMessage): Promise<unknown> {
  const { method = "GET", url = "/", headers } = request;
  authenticate(headers.authorization, options.settings.token);
  const [rawPath = "/", query = ""] = splitOnce(url, "?");
  if (!rawPath.startsWith(PREFIX)) throw new ApiError(404, `no such file '${reasonPhrase(rawPath)}'`);
  const segments = decodeSegments(rawPath.slice(PREFIX.length));
  const match = matchRoute(options.routes, method, segments);
  if (match === undefined || match === "wrong-method") {
    throw new ApiError(501, `Method '${method} /${segments.join("/")}' not implemented`);
  }
  const { route, values } = match;
  const allowed = options.settings.privileges;
  if (route.privilege !== undefined && allowed !== undefined && !allowed.includes(route.privilege)) {
    throw new ApiError(403, `Permission check failed (/, ${route.privilege})`);
  }
  const host = values.get("host");
  if (host !== undefined && !options.settings.hosts.includes(host)) {
    throw new ApiError(404, `no such cluster node '${host}'`);
  }
  const input = new Map([...parseForm(query), ...(await readBody(request))]);
  return await route.answer({
    path: (name) => values.get(name) ?? "",
    input,
    user: options.settings.token.id,
  });
}

function decodeSegments(path: string): readonly string[] {
  try {
    const segments = path.split("/").map((segment) => decodeURIComponent(segment));
    return segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  } catch {
    throw new ApiError(400, "malformed path");
  }
}

async function readBody(request: IncomingMessage): Promise<Input> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError(413, "request body too large");
    chunks.push(chunk);
  }
  if (size === 0) return new Map();
  const text = Buffer.concat(chunks).toString("utf8");
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case "application/json":
      return parseJsonBody(text);
    case "":
    case "application/x-www-form-urlencoded":
      return parseForm(text);
    default:
      throw new ApiError(415, `unsupported content type '${type}'`);
  }
}

function internalError(error: unknown): ApiError {
  return new ApiError(500, error instanceof Error ? error.message : "internal error");
}

function send(response: ServerResponse, status: number, reason: string, body: unknown): void {
  response.writeHead(status, reason, {
    "content-type": "application/json;charset=UTF-8",
    "cache-control": "no-store",
  });
  response.end(JSON.stringify(body));
}

/** The header line must stay one line of plain ASCII. */
function reasonPhrase(message: string): string {
  return message.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, 500);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
