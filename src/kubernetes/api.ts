import { randomBytes } from "node:crypto";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";
import { ControlPlanesAgent } from "./control-planes-agent.ts";
import { type ApiCredentials, readCredentials } from "./credentials.ts";

export interface ApiCall {
  readonly method?: "GET" | "PATCH" | "POST" | "DELETE";
  /** With the query: /api/v1/namespaces?dryRun=All */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** application/json unless told; a form of it without the objects' content, for example. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; 10 000 unless told. */
  readonly within?: number;
}

/** What stands behind the API, such as a pod's own server, answered: bytes that are nobody's JSON. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

export interface ApiAnswer {
  readonly status: number;
  /** What the server answered, read as JSON; the text itself where it is none. */
  readonly body: unknown;
  /** What the server warns of, Pod Security among it. */
  readonly warnings: readonly string[];
}

/** Milliseconds that one call may take. */
const DEADLINE = 10_000;
/** Milliseconds without an answer after which the same is asked of whoever accepts a new connection. */
const SILENCE = 2_500;

/**
 * The API as plain requests: no library to load, and objects of any kind. Whoever opens it closes it.
 */
export class KubernetesApi {
  readonly #credentials: ApiCredentials;
  #agent: ControlPlanesAgent;

  /** @throws CastleError kubernetes/kubeconfig */
  constructor(kubeconfig: Secret) {
    this.#credentials = readCredentials(kubeconfig);
    this.#agent = this.#newAgent();
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * Any status is an answer, except those that say who may not ask.
   * @throws CastleError kubernetes/unreachable, kubernetes/refused, command/interrupted
   */
  async call(call: ApiCall): Promise<ApiAnswer> {
    const { status, headers, bytes } = await this.fetch(call);
    return { status, body: json(bytes.toString("utf8")), warnings: warnings(headers["warning"]) };
  }

  /** As `call`, for what is not the API's own: headers and bytes as they came. */
  async fetch({
    method = "GET",
    path,
    body,
    contentType,
    accept,
    signal,
    within = DEADLINE,
  }: ApiCall): Promise<RawAnswer> {
    const deadline = AbortSignal.timeout(within);
    const ended = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      const answer = await this.#exchangeWithSomebody({ method, path, ended, text, contentType, accept });
      if (answer.status !== 401) return answer;
    } catch (cause) {
      if (signal?.aborted === true) {
        throw new CastleError("command/interrupted", { message: "the call was interrupted", cause });
      }
      throw new CastleError("kubernetes/unreachable", {
        message: `The Kubernetes API at ${this.#credentials.server.host} does not answer: ${deadline.aborted ? `nothing in ${within} ms` : String(cause)}`,
        hint: "castle status shows which machines are on",
        cause,
      });
    }
    throw new CastleError("kubernetes/refused", {
      message: "The Kubernetes API refused this kubeconfig (401)",
      hint: "castle kubeconfig writes a fresh one",
    });
  }

  /**
   * A WebSocket through the API to what stands behind it, as bare frames; whoever opens it destroys it. The signal ends
   * the opening, not what was opened.
   * @throws CastleError kubernetes/unreachable, kubernetes/refused, command/interrupted
   */
  async upgrade({ path, protocol, signal }: Upgrade): Promise<Duplex> {
    const { server, token } = this.#credentials;
    const opened = await new Promise<Duplex | number>((resolve, reject) => {
      const asked = request(new URL(path, server), {
        agent: this.#agent,
        signal,
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": randomBytes(16).toString("base64"),
          "sec-websocket-protocol": protocol,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      });
      asked.on("error", reject);
      asked.on("upgrade", (_response, stream, head) => {
        stream.unshift(head);
        resolve(stream);
      });
      asked.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.end();
    }).catch((cause: unknown) => {
      throw new CastleError(signal.aborted ? "command/interrupted" : "kubernetes/unreachable", {
        message: `The Kubernetes API at ${server.host} opens nothing: ${String(cause)}`,
        hint: "castle status shows which machines are on",
        cause,
      });
    });
    if (typeof opened !== "number") return opened;
    throw new CastleError("kubernetes/refused", {
      message: `The Kubernetes API does not open ${path.split("?")[0]}: ${opened}`,
      hint: "castle kubeconfig writes a kubeconfig that may",
    });
  }

  /**
   * A connection that was kept may lead to a control plane that has lost its power. Who is silent is not given up, only
   * asked beside somebody else: a loaded API is slow. What must not be done twice is asked once.
   */
  async #exchangeWithSomebody(exchange: Exchange): Promise<RawAnswer> {
    const settled = new AbortController();
    const ended = AbortSignal.any([exchange.ended, settled.signal]);
    const first = this.#exchange({ ...exchange, ended });
    if (exchange.method === "POST") return first;
    const another = () => {
      this.#leaveConnections();
      return this.#exchange({ ...exchange, ended });
    };
    const answer = first.catch((error: unknown) => {
      if (error instanceof LostConnection) return another();
      throw error;
    });
    const later = delay(SILENCE, undefined, { signal: ended }).then(another);
    try {
      return await Promise.race([answer, later.catch(() => answer)]);
    } finally {
      settled.abort();
    }
  }

  /** Those under way end by themselves; the next call dials anew. */
  #leaveConnections(): void {
    const left = this.#agent;
    this.#agent = this.#newAgent();
    for (const sockets of Object.values(left.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  #newAgent(): ControlPlanesAgent {
    const { server, alternatives, tls } = this.#credentials;
    return new ControlPlanesAgent([server, ...alternatives], { keepAlive: true, ...tls });
  }

  #exchange({ method, path, ended, text, contentType, accept }: Exchange): Promise<RawAnswer> {
    const { server, token } = this.#credentials;
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, server), {
        method,
        agent: this.#agent,
        signal: ended,
        headers: {
          accept: accept ?? "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : {
                "content-type": contentType ?? "application/json",
                "content-length": Buffer.byteLength(text),
              }),
        },
      });
      asked.on("error", (error) => reject(asked.reusedSocket ? new LostConnection(error) : error));
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(chunks),
          }),
        );
      });
      asked.end(text);
    });
  }
}

interface Upgrade {
  readonly path: string;
  readonly protocol: string;
  readonly signal: AbortSignal;
}

/** It was open since an earlier call, and nobody was at its other end any more. */
class LostConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly ended: AbortSignal;
  readonly text: string | undefined;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `299 - "words"`, one after the other with a comma between. */
function warnings(header: string | string[] | undefined): readonly string[] {
  return [...(header ?? "").toString().matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, words = ""]) =>
    words.replace(/\\(.)/g, "$1"),
  );
}
