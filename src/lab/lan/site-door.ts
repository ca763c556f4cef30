import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  createServer,
  request,
} from "node:http";
import { pipeline } from "node:stream";
import { connect } from "node:tls";
import { z } from "zod";
import { writeFileAtomic } from "../../support/write-file.ts";
import { dialMachine } from "./dial.ts";
import { listenOnLoopback } from "./loopback.ts";
import { readNote } from "./note.ts";

/** A site behind the castle's ingress. */
export interface DoorSite {
  /** Names it in the browser: NAME.localhost. */
  readonly name: string;
  /** Its real host, which the ingress and its certificate know it by. */
  readonly host: string;
  /** The ingress' address on the LAN. */
  readonly address: string;
}

export interface SiteDoorOptions {
  /** The agent's unix socket. */
  readonly socket: string;
  /** File in the lab's state that remembers port and sites. */
  readonly file: string;
  /** PEM of the authorities that certified the sites. */
  readonly roots: () => string | undefined;
  /** Where the ingress takes HTTPS; 443 unless told. */
  readonly port?: number;
}

const HTTPS = 443;
/** Milliseconds that the ingress has to accept, and to begin its answer. */
const PATIENCE = 5_000;

const noteShape = z.object({
  port: z.int().min(0).max(65_535).default(0),
  sites: z.array(z.object({ name: z.string(), host: z.string(), address: z.string() })).default([]),
});

/**
 * What a browser on this machine opens: http://NAME.localhost:PORT/, which browsers resolve to the loopback and hold for
 * safe by themselves. Behind it the request goes to the ingress by HTTPS under the site's real name, and its certificate
 * is verified. Nothing is written to /etc/hosts, and no authority of the lab has to be trusted by the browser.
 */
export class SiteDoor {
  readonly #options: SiteDoorOptions;
  #server: Server | undefined;
  #port = 0;
  #sites: readonly DoorSite[] = [];

  constructor(options: SiteDoorOptions) {
    this.#options = options;
  }

  /** Opens again what the lab's state remembers, on the same port. */
  async resume(): Promise<void> {
    const note = await readNote(this.#options.file);
    const { port, sites } = noteShape.catch({ port: 0, sites: [] }).parse(note);
    if (sites.length === 0) return;
    this.#port = port;
    await this.lead(sites);
  }

  /** Leads to these sites, and no others. @returns the door's port on 127.0.0.1 */
  async lead(sites: readonly DoorSite[]): Promise<number> {
    this.#sites = sites;
    if (this.#server === undefined) {
      const server = createServer((asked, answer) => void this.#serve(asked, answer));
      this.#port = await listenOnLoopback(server, this.#port).catch(() => listenOnLoopback(server, 0));
      this.#server = server;
    }
    const note = { port: this.#port, sites };
    await writeFileAtomic(this.#options.file, `${JSON.stringify(note, undefined, 2)}\n`);
    return this.#port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const name = (asked.headers.host ?? "").replace(/:\d+$/, "").replace(/\.localhost$/, "");
    const site = this.#sites.find((one) => one.name === name);
    if (site === undefined) {
      const known = this.#sites.map((one) => `http://${one.name}.localhost:${this.#port}/`);
      say(answer, 404, `No site of this castle is called ${name}. There are: ${known.join(", ")}`);
      return;
    }
    try {
      const onward = await this.#connect(site);
      const { method, url: path, headers } = asked;
      const sent = request({
        createConnection: () => onward,
        method,
        path,
        headers: { ...headers, host: site.host, connection: "close" },
        signal: ended(answer),
      });
      sent.setTimeout(PATIENCE, () => sent.destroy(new Error(`nothing came within ${PATIENCE / 1000} s`)));
      sent.on("error", (error) => say(answer, 502, `${site.host} does not answer: ${error.message}`));
      sent.on("response", (got) => {
        answer.writeHead(got.statusCode ?? 502, this.#outside(site, got.headers));
        pipeline(got, answer, () => undefined);
      });
      pipeline(asked, sent, () => undefined);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(answer, 502, `${site.host} at ${site.address} cannot be reached: ${why}`);
    }
  }

  async #connect({ host, address }: DoorSite) {
    const { socket: agent, port = HTTPS } = this.#options;
    const socket = await dialMachine(agent, { address, port }, { timeout: PATIENCE });
    const ca = this.#options.roots();
    const secured = connect({ socket, servername: host, ...(ca === undefined ? {} : { ca }) });
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", resolve);
      secured.once("error", reject);
    });
    return secured;
  }

  /** The ingress' answer as it looks through the door: its own address stays where the browser is. */
  #outside({ name, host }: DoorSite, headers: IncomingHttpHeaders): OutgoingHttpHeaders {
    const { location, "strict-transport-security": _, connection: _own, ...rest } = headers;
    if (location === undefined) return rest;
    const here = `http://${name}.localhost:${this.#port}`;
    return { ...rest, location: location.replace(new RegExp(`^https?://${escaped(host)}(?=[/?#]|$)`), here) };
  }
}

/** Fires when the browser goes away. */
function ended(answer: ServerResponse): AbortSignal {
  const gone = new AbortController();
  answer.on("close", () => gone.abort());
  return gone.signal;
}

function say(answer: ServerResponse, status: number, text: string): void {
  if (answer.headersSent) {
    answer.destroy();
    return;
  }
  answer.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  answer.end(`${text}\n`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
