import { Duplex } from "node:stream";
import type { KubernetesApi } from "./api.ts";
import { ServerFrames, clientFrame } from "./web-socket-frames.ts";

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Each port has two channels, numbered from 0: what is carried, and why it is not. */
const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const REFUSAL = 1;
/** Each channel's first message repeats the port. */
const GREETING = 2;

/**
 * A connection to a port in a pod's own network, carried by the API and the pod's kubelet, as `kubectl port-forward`
 * opens one: it shows what a neighbour in the cluster would see. Whoever opens it destroys it.
 * @throws CastleError kubernetes/unreachable, kubernetes/refused, command/interrupted
 */
export async function openPodPort(
  api: KubernetesApi,
  { namespace, pod, port }: PodPort,
  signal: AbortSignal,
): Promise<Duplex> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  return new CarriedPort(await api.upgrade({ path, protocol: PROTOCOL, signal }));
}

class CarriedPort extends Duplex {
  readonly #socket: Duplex;
  readonly #frames = new ServerFrames();
  readonly #greeted = new Set<number>();

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      for (const { closes, payload } of this.#frames.take(chunk)) {
        if (closes) this.push(null);
        else this.#take(payload);
      }
    });
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.push(null));
  }

  #take(message: Buffer): void {
    if (message.length === 0) return;
    const channel = message.readUInt8(0);
    const greeting = !this.#greeted.has(channel) ? GREETING : 0;
    this.#greeted.add(channel);
    const content = message.subarray(1 + greeting);
    if (content.length === 0) return;
    if (channel === REFUSAL) this.destroy(new Error(content.toString("utf8")));
    else if (!this.readableEnded) this.push(content);
  }

  // The socket's own buffer is what there is: nothing long comes this way.
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(clientFrame(Buffer.concat([Buffer.from([DATA]), chunk])), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
