import { isIPv6 } from "node:net";
import { fileURLToPath } from "node:url";
import {
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServerErrorResponse,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
  makeClientConstructor,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { type AnyDefinition, type ServiceDefinition, loadSync } from "@grpc/proto-loader";
import { type Affiliate, type Change, DiscoveryStore, RefusedError } from "./store.ts";

export interface DiscoveryOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface DiscoveryService {
  readonly port: number;
  close(): Promise<void>;
}

interface UpdateRequest {
  readonly clusterId: string;
  readonly affiliateId: string;
  readonly affiliateData?: Buffer;
  readonly affiliateEndpoints: readonly Buffer[];
  readonly ttl: { readonly seconds: number; readonly nanos: number } | null;
}

interface WatchResponse {
  readonly affiliates: readonly Affiliate[];
  readonly deleted: boolean;
}

/** Messages that a watcher may be behind; then it is cut off, and comes back for a new snapshot. */
const LONGEST_BACKLOG = 512;

/** The Talos discovery API without TLS, as Talos speaks it when its endpoint starts with http://. */
export function clusterClient(): ServiceClientConstructor {
  const file = fileURLToPath(new URL("cluster.proto", import.meta.url));
  const definition = loadSync(file, { longs: Number, defaults: true, oneofs: false });
  const service = definition["sidero.discovery.server.Cluster"];
  if (service === undefined || !isService(service)) throw new Error(`${file} has no service Cluster`);
  return makeClientConstructor(service, "Cluster");
}

function isService(definition: AnyDefinition): definition is ServiceDefinition {
  return !("format" in definition);
}

/**
 * Serves until closed. What the nodes said is kept in memory only: they say it again when they have to reconnect.
 * @throws Error of the operating system if the address cannot be had
 */
export async function serveDiscovery({ host, port }: DiscoveryOptions): Promise<DiscoveryService> {
  const store = new DiscoveryStore(() => performance.now());
  const expiry = new Expiry(store);
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 });
  const handlers: Record<string, UntypedHandleCall> = {
    Hello: unary<{ clusterId: string }, { clientIp: Buffer }>((request, peer) => {
      store.list(request.clusterId);
      return { clientIp: addressBytes(peer) };
    }),
    AffiliateUpdate: unary<UpdateRequest, object>((request) => {
      store.update({
        cluster: request.clusterId,
        affiliate: request.affiliateId,
        data: request.affiliateData,
        endpoints: request.affiliateEndpoints,
        ttl: (request.ttl?.seconds ?? 0) * 1000 + (request.ttl?.nanos ?? 0) / 1_000_000,
      });
      expiry.schedule();
      return {};
    }),
    AffiliateDelete: unary<{ clusterId: string; affiliateId: string }, object>((request) => {
      store.delete(request.clusterId, request.affiliateId);
      return {};
    }),
    List: unary<{ clusterId: string }, { affiliates: Affiliate[] }>((request) => ({
      affiliates: store.list(request.clusterId),
    })),
    Watch: (call: ServerWritableStream<{ clusterId: string }, WatchResponse>) => watch(store, call),
  };
  server.addService(clusterClient().service, handlers);
  const bound = await new Promise<number>((resolve, reject) => {
    const address = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port: bound,
    // Watches never end by themselves, so there is nothing to wait for.
    async close() {
      expiry.stop();
      server.forceShutdown();
    },
  };
}

/** Wakes up when the next thing runs out, so that watchers hear of it without anybody asking. */
class Expiry {
  readonly #store: DiscoveryStore;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: DiscoveryStore) {
    this.#store = store;
  }

  schedule(): void {
    this.stop();
    const next = this.#store.nextExpiry();
    if (next === undefined) return;
    const wait = Math.max(1, Math.ceil(next - performance.now()));
    this.#timer = setTimeout(() => {
      this.#store.sweep();
      this.schedule();
    }, wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function unary<Request, Response>(
  serve: (request: Request, peer: string) => Response,
): (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void {
  return (call, callback) => {
    let response: Response;
    try {
      response = serve(call.request, call.getPeer());
    } catch (error) {
      callback(asStatus(error));
      return;
    }
    callback(null, response);
  };
}

function watch(
  store: DiscoveryStore,
  call: ServerWritableStream<{ clusterId: string }, WatchResponse>,
): void {
  try {
    const { snapshot, stop } = store.watch(call.request.clusterId, (change) => {
      if (call.writableLength < LONGEST_BACKLOG) {
        call.write(asMessage(change));
        return;
      }
      stop();
      call.emit("error", { code: status.ABORTED, details: "too far behind: watch again" });
    });
    call.on("cancelled", stop);
    call.on("close", stop);
    call.on("error", stop);
    call.write({ affiliates: snapshot, deleted: false });
  } catch (error) {
    call.emit("error", asStatus(error));
  }
}

function asMessage(change: Change): WatchResponse {
  return change.kind === "changed"
    ? { affiliates: [change.affiliate], deleted: false }
    : { affiliates: [{ id: change.id, data: new Uint8Array(), endpoints: [] }], deleted: true };
}

function asStatus(error: unknown): Partial<ServerErrorResponse> {
  if (!(error instanceof RefusedError)) return { code: status.INTERNAL, details: String(error) };
  const code = error.refusal === "full" ? status.RESOURCE_EXHAUSTED : status.INVALID_ARGUMENT;
  return { code, details: error.message };
}

/** 192.168.1.211:4321 gives 4 bytes, [fe80::1]:4321 gives 16. */
export function addressBytes(peer: string): Buffer {
  const host = peer.slice(0, peer.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
  if (!isIPv6(mapped)) return Buffer.from(mapped.split(".").map(Number));
  const [head = "", tail] = mapped.split("::");
  const left = words(head);
  const right = words(tail ?? "");
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => "0");
  const bytes = [...left, ...middle, ...right].map((word) => Number.parseInt(word.split("%")[0] ?? "", 16));
  return Buffer.from(bytes.flatMap((word) => [word >> 8, word & 0xff]));
}

function words(text: string): string[] {
  return text === "" ? [] : text.split(":");
}
