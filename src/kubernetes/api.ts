import { Agent, request } from "node:https";
import { parse } from "yaml";
import { z } from "zod";
import { CastleError } from "../errors/castle-error.ts";
import type { Secret } from "../support/secret.ts";

const kubeconfigShape = z.object({
  "current-context": z.string(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url(),
        "certificate-authority-data": z.string().optional(),
        "tls-server-name": z.string().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        "client-certificate-data": z.string().optional(),
        "client-key-data": z.string().optional(),
        token: z.string().optional(),
      }),
    }),
  ),
});

export interface ApiCall {
  readonly method?: "GET" | "PATCH" | "POST" | "DELETE";
  /** With the query: /api/v1/namespaces?dryRun=All */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** application/json unless told; a form of it without the objects' content, for example. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
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

/**
 * The API as plain requests: no library to load, and objects of any kind. Whoever opens it closes it.
 */
export class KubernetesApi {
  readonly #server: URL;
  readonly #agent: Agent;
  readonly #token: string | undefined;

  /** @throws CastleError kubernetes/kubeconfig */
  constructor(kubeconfig: Secret) {
    const { server, tls, token } = kubeconfigCredentials(kubeconfig);
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, ...tls });
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
  async fetch({ method = "GET", path, body, contentType, accept, signal }: ApiCall): Promise<RawAnswer> {
    const deadline = AbortSignal.timeout(DEADLINE);
    const ended = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      const answer = await this.#exchange({ method, path, ended, text, contentType, accept });
      if (answer.status !== 401) return answer;
    } catch (cause) {
      if (signal?.aborted === true) {
        throw new CastleError("command/interrupted", { message: "the call was interrupted", cause });
      }
      throw new CastleError("kubernetes/unreachable", {
        message: `The Kubernetes API at ${this.#server.host} does not answer: ${deadline.aborted ? `nothing in ${DEADLINE} ms` : String(cause)}`,
        hint: "castle status shows which machines are on",
        cause,
      });
    }
    throw new CastleError("kubernetes/refused", {
      message: "The Kubernetes API refused this kubeconfig (401)",
      hint: "castle kubeconfig writes a fresh one",
    });
  }

  #exchange({ method, path, ended, text, contentType, accept }: Exchange): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.#server), {
        method,
        agent: this.#agent,
        signal: ended,
        headers: {
          accept: accept ?? "application/json",
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(text === undefined
            ? {}
            : {
                "content-type": contentType ?? "application/json",
                "content-length": Buffer.byteLength(text),
              }),
        },
      });
      asked.on("error", reject);
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

/** Who it goes to and with what, out of the current context. @throws CastleError kubernetes/kubeconfig */
export function kubeconfigCredentials(kubeconfig: Secret) {
  const found = kubeconfigShape.safeParse(parse(kubeconfig.reveal()));
  const context = found.data?.contexts.find(({ name }) => name === found.data["current-context"])?.context;
  const cluster = found.data?.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = found.data?.users.find(({ name }) => name === context?.user)?.user;
  if (cluster === undefined || user === undefined) {
    throw new CastleError("kubernetes/kubeconfig", {
      message: "The kubeconfig has no current context with a cluster and a user in it",
      hint: "castle kubeconfig writes a fresh one",
    });
  }
  const ca = decoded(cluster["certificate-authority-data"]);
  const cert = decoded(user["client-certificate-data"]);
  const key = decoded(user["client-key-data"]);
  const servername = cluster["tls-server-name"];
  return {
    server: new URL(cluster.server),
    token: user.token,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
    },
  };
}

function decoded(data: string | undefined): Buffer | undefined {
  return data === undefined ? undefined : Buffer.from(data, "base64");
}
