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
 * certificate that the first one's address is in.
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
    { host, servername }: RequestOptions,
    callback: ((error: Error | null, stream: Duplex) => void) | undefined,
  ): Promise<void> {
    try {
      const socket = await this.#dial();
      callback?.(null, connectTls({ ...this.options, ...named({ host, servername }), socket }));
    } catch (error) {
      // Node passes over the stream that comes with an error.
      callback?.(error instanceof Error ? error : new Error(String(error)), new Socket());
    }
  }

  #dial(): Promise<Socket> {
    return firstToAccept(
      this.#servers,
      ({ hostname, port }, signal) => dial(hostname, Number(port === "" ? 443 : port), signal),
      { patience: PATIENCE, signal: AbortSignal.timeout(DIAL) },
    );
  }
}

/** Whom the certificate has to name, whoever of them answers. */
function named({ host, servername }: Pick<RequestOptions, "host" | "servername">) {
  return {
    ...(typeof host === "string" ? { host } : {}),
    ...(servername === undefined || servername === "" ? {} : { servername }),
  };
}
