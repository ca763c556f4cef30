import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Duplex } from "node:stream";
import { dial } from "../support/dial.ts";
import { firstToAccept } from "../support/first-to-accept.ts";

/** Milliseconds after which the next control plane is tried beside one that is silent. */
const PATIENCE = 250;
/** Milliseconds that all of them have together. */
const DIAL = 8_000;

/**
 * Connects to the first of several servers that accepts, in their order: they are one API, and each proves itself by the
 * certificate that its own address is in.
 */
export class ControlPlanesAgent extends Agent {
  readonly #servers: readonly URL[];

  constructor(servers: readonly URL[], options: AgentOptions) {
    super(options);
    this.#servers = servers;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    void this.#open(options, callback);
    return undefined;
  }

  async #open(
    { servername }: RequestOptions,
    callback: ((error: Error | null, stream: Duplex) => void) | undefined,
  ): Promise<void> {
    try {
      const { socket, hostname } = await this.#dial();
      callback?.(null, connectTls({ ...this.options, ...named(hostname, servername), socket }));
    } catch (error) {
      // Node passes over the stream that comes with an error.
      callback?.(error instanceof Error ? error : new Error(String(error)), new Socket());
    }
  }

  async #dial(): Promise<{ readonly socket: Socket; readonly hostname: string }> {
    const hostnames = new Map<Socket, string>();
    const socket = await firstToAccept(
      this.#servers,
      async ({ hostname, port }, signal) => {
        const opened = await dial(hostname, Number(port === "" ? 443 : port), signal);
        hostnames.set(opened, hostname);
        return opened;
      },
      { patience: PATIENCE, signal: AbortSignal.timeout(DIAL) },
    );
    return { socket, hostname: hostnames.get(socket) ?? "" };
  }
}

/** Whom the certificate has to name: who was dialled, or whom the kubeconfig says instead. */
function named(host: string, servername: string | undefined) {
  return { host, ...(servername === undefined || servername === "" ? {} : { servername }) };
}
