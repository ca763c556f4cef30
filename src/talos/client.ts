import { once } from "node:events";
import { checkServerIdentity } from "node:tls";
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  credentials as channelCredentials,
  status,
} from "@grpc/grpc-js";
import { CastleError } from "../errors/castle-error.ts";
import { type Attempt, talosFailure } from "./failure.ts";
import type { Method } from "./schema.ts";
import type { Credentials } from "./talosconfig.ts";

/** Where to connect: a node itself, or in a lab a forward on 127.0.0.1 that leads to it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface TalosClientOptions {
  readonly endpoint: Endpoint;
  /** What error messages call the other side, for example fortress-cp-1; host:port unless told. */
  readonly name?: string;
  /** Undefined: for maintenance mode. No certificate is shown, and the node's is not verified. */
  readonly credentials?: Credentials;
}

export interface CallSettings {
  /** Milliseconds for the whole call; 10 000 unless told. Streams have none unless told. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  /** Address of another node of the castle, which the dialled one asks in our name. */
  readonly node?: string;
}

const DEADLINE = 10_000;

// Nodes are dialled while they boot: look again within a second, not within gRPC's two minutes. No HTTP proxy: the
// nodes are on the LAN whatever the environment says. A pool of its own, so that closing a client closes its sockets.
const CHANNEL = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_http_proxy": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": 32 * 1024 * 1024,
  // TLS allows no address as a server name, and Node warns of one. The node's certificate is still checked for the
  // address that was dialled, below.
  "grpc.ssl_target_name_override": "talos",
} as const;

/** One connection to the machine API of one node. Cheap to make; nothing is dialled before the first call. */
export class TalosClient {
  readonly name: string;
  readonly #target: string;
  readonly #channelCredentials: ChannelCredentials;
  readonly #trusted: boolean;
  #channel: Client | undefined;

  constructor({ endpoint, name, credentials }: TalosClientOptions) {
    this.#target = `${endpoint.host}:${endpoint.port}`;
    this.name = name ?? this.#target;
    this.#trusted = credentials !== undefined;
    this.#channelCredentials =
      credentials === undefined
        ? channelCredentials.createSsl(null, null, null, {
            rejectUnauthorized: false,
            checkServerIdentity: () => undefined,
          })
        : channelCredentials.createSsl(
            Buffer.from(credentials.authority),
            Buffer.from(credentials.key.reveal()),
            Buffer.from(credentials.certificate),
            { checkServerIdentity: (_name, certificate) => checkServerIdentity(endpoint.host, certificate) },
          );
  }

  /** @throws CastleError talos/…, command/interrupted */
  async call<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): Promise<Response> {
    const attempt = this.#attempt(method, settings);
    this.#refuseWhenAborted(attempt);
    const channel = (this.#channel ??= new Client(this.#target, this.#channelCredentials, CHANNEL));
    return await new Promise<Response>((resolve, reject) => {
      const call = channel.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        nodeMetadata(settings.node),
        callOptions(attempt.deadline),
        (error, response) => {
          settings.signal?.removeEventListener("abort", abort);
          if (error !== null) reject(this.#failure(error, attempt, channel));
          else if (response === undefined) reject(emptyAnswer(attempt));
          else resolve(response);
        },
      );
      const abort = () => call.cancel();
      settings.signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /**
   * Yields what the node sends until it ends the stream, `settings.deadline` passes or `settings.signal` fires; leaving
   * the loop cancels the call.
   * @throws CastleError talos/…, command/interrupted
   */
  async *stream<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    request: Request,
    settings: CallSettings = {},
  ): AsyncGenerator<Response, void, undefined> {
    const attempt = this.#attempt(method, { ...settings, deadline: settings.deadline ?? Infinity });
    this.#refuseWhenAborted(attempt);
    const channel = (this.#channel ??= new Client(this.#target, this.#channelCredentials, CHANNEL));
    const call: ClientReadableStream<Response> = channel.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      nodeMetadata(settings.node),
      callOptions(attempt.deadline),
    );
    const abort = () => call.cancel();
    settings.signal?.addEventListener("abort", abort, { once: true });
    try {
      const parts: AsyncIterable<Response> = call;
      yield* parts;
    } catch (error) {
      if (!isServiceError(error)) throw error;
      throw this.#failure(error, attempt, channel);
    } finally {
      settings.signal?.removeEventListener("abort", abort);
      // Cancelling makes the stream emit one last error, which nobody listens to any more.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  /**
   * Sends the parts one after the other, as fast as the node takes them, and waits for its one answer.
   * @throws CastleError talos/…, command/interrupted
   */
  async upload<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    parts: Iterable<Request>,
    settings: CallSettings = {},
  ): Promise<Response> {
    const attempt = this.#attempt(method, settings);
    this.#refuseWhenAborted(attempt);
    const channel = (this.#channel ??= new Client(this.#target, this.#channelCredentials, CHANNEL));
    const settled = new AbortController();
    return await new Promise<Response>((resolve, reject) => {
      const call = channel.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        nodeMetadata(settings.node),
        callOptions(attempt.deadline),
        (error, response) => {
          settled.abort();
          settings.signal?.removeEventListener("abort", abort);
          if (error !== null) reject(this.#failure(error, attempt, channel));
          else if (response === undefined) reject(emptyAnswer(attempt));
          else resolve(response);
        },
      );
      const abort = () => call.cancel();
      settings.signal?.addEventListener("abort", abort, { once: true });
      // What goes wrong is told to the callback above.
      writeAll(parts, call, settled.signal).catch(() => call.cancel());
    });
  }

  /** Hangs up once the calls under way have ended; those that wait for a connection fail. */
  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #attempt(method: { path: string }, settings: CallSettings): Attempt {
    const via = settings.node === undefined ? this.name : `${settings.node} (asked through ${this.name})`;
    const call = method.path.slice(method.path.lastIndexOf("/") + 1);
    return {
      node: via,
      call,
      deadline: settings.deadline ?? DEADLINE,
      trusted: this.#trusted,
      signal: settings.signal,
    };
  }

  #refuseWhenAborted({ call, node, signal }: Attempt): void {
    if (signal?.aborted !== true) return;
    throw new CastleError("command/interrupted", { message: `${call} to ${node} was interrupted` });
  }

  /** After a silent deadline the connection may lead to a machine that is gone: the next call dials anew. */
  #failure(error: ServiceError, attempt: Attempt, channel: Client): CastleError {
    if (error.code === status.DEADLINE_EXCEEDED && this.#channel === channel) this.close();
    return talosFailure(error, attempt);
  }
}

/** As fast as the other side takes them. */
async function writeAll<Part>(
  parts: Iterable<Part>,
  call: ClientWritableStream<Part>,
  settled: AbortSignal,
): Promise<void> {
  for (const part of parts) {
    if (settled.aborted) return;
    if (!call.write(part)) await once(call, "drain", { signal: settled });
  }
  call.end();
}

function callOptions(deadline: number): CallOptions {
  return deadline === Infinity ? {} : { deadline: Date.now() + deadline };
}

function nodeMetadata(node: string | undefined): Metadata {
  const metadata = new Metadata();
  if (node !== undefined) metadata.set("node", node);
  return metadata;
}

function emptyAnswer({ node, call }: Attempt): CastleError {
  return new CastleError("talos/malformed", { message: `${node} answered ${call} with nothing` });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
