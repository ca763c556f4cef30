import { type Server, type Socket, createServer } from "node:net";
import { z } from "zod";
import type { Report } from "../../journal/step.ts";
import { writeFileAtomic } from "../../support/write-file.ts";
import { dialMachine } from "./dial.ts";
import { firstToAccept } from "../../support/first-to-accept.ts";
import { listenOnLoopback } from "./loopback.ts";
import { readNote } from "./note.ts";
import { splice } from "./splice.ts";

export interface Target {
  readonly address: string;
  readonly port: number;
}

/** A door on the machine's loopback that leads into the LAN. */
export interface Forward {
  readonly name: string;
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Tried in this order; the first that accepts gets the connection. */
  readonly targets: readonly Target[];
}

export interface ForwardsOptions {
  /** The agent's unix socket. */
  readonly socket: string;
  /** File in the lab's state that remembers ports and targets. */
  readonly file: string;
  readonly report?: Report | undefined;
  /** Milliseconds that a target has before the next one is tried as well; 250 unless told. */
  readonly patience?: number;
}

const fileShape = z.record(
  z.string(),
  z.object({
    port: z.int().min(1).max(65_535),
    targets: z.array(z.object({ address: z.string(), port: z.int() })),
  }),
);

interface OpenForward {
  readonly server: Server;
  readonly port: number;
  targets: readonly Target[];
}

/** All forwards of a lab. A forward keeps its port over restarts of the daemon, so that a kubeconfig keeps working. */
export class Forwards {
  readonly #options: ForwardsOptions;
  readonly #open = new Map<string, OpenForward>();
  readonly #connections = new Set<Socket>();
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: ForwardsOptions) {
    this.#options = options;
  }

  /** Opens again what the lab's state remembers. A port that somebody took meanwhile is replaced, with a warning. */
  static async open(options: ForwardsOptions): Promise<Forwards> {
    const forwards = new Forwards(options);
    const remembered = fileShape.safeParse(await readNote(options.file));
    for (const [name, { port, targets }] of Object.entries(remembered.data ?? {})) {
      await forwards.#listen(name, targets, port);
    }
    return forwards;
  }

  /**
   * Opens a forward, or points the one of that name at other targets; its port stays.
   * @throws Error of the operating system if no port can be opened
   */
  async forward(name: string, targets: readonly Target[]): Promise<Forward> {
    return this.#inTurn(async () => {
      const open = this.#open.get(name);
      if (open === undefined) await this.#listen(name, targets);
      else open.targets = targets;
      await this.#remember();
      return this.#describe(name);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const open = this.#open.get(name);
      if (open === undefined) return;
      this.#open.delete(name);
      open.server.close();
      await this.#remember();
    });
  }

  list(): Forward[] {
    return [...this.#open.keys()].toSorted().map((name) => this.#describe(name));
  }

  /** Closes the doors; the ports stay reserved in the lab's state. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      const closed = [...this.#open.values()].map(
        ({ server }) => new Promise<void>((resolve) => server.close(() => resolve())),
      );
      for (const connection of this.#connections) connection.destroy();
      this.#open.clear();
      await Promise.all(closed);
    });
  }

  /** One change at a time: the file must not be older than what is open. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(change);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  #describe(name: string): Forward {
    const open = this.#open.get(name);
    if (open === undefined) throw new Error(`no forward is called ${name}`);
    return { name, host: "127.0.0.1", port: open.port, targets: open.targets };
  }

  async #listen(name: string, targets: readonly Target[], wanted = 0): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      void this.#serve(name, client);
    });
    const port = await listenOnLoopback(server, wanted).catch(async (error: unknown) => {
      if (wanted === 0 || !isTaken(error)) throw error;
      const other = await listenOnLoopback(server, 0);
      this.#options.report?.({
        type: "warning",
        message: `port ${wanted} of the forward ${name} is taken by another program; it is ${other} now`,
        hint: "castle kubeconfig and castle talosconfig write the new port",
      });
      return other;
    });
    this.#open.set(name, { server, port, targets });
    if (wanted !== 0 && port !== wanted) await this.#remember();
  }

  async #serve(name: string, client: Socket): Promise<void> {
    this.#connections.add(client);
    const gone = new AbortController();
    client.on("error", () => client.destroy());
    client.on("close", () => {
      this.#connections.delete(client);
      gone.abort();
    });
    const targets = this.#open.get(name)?.targets ?? [];
    try {
      const machine = await firstToAccept(
        targets,
        (target, signal) => dialMachine(this.#options.socket, target, { signal }),
        { patience: this.#options.patience ?? 250, signal: gone.signal },
      );
      splice(client, machine);
    } catch {
      // The client sees a reset, as it would from a machine that is not there.
      client.resetAndDestroy();
    }
  }

  async #remember(): Promise<void> {
    const entries = [...this.#open].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const content = Object.fromEntries(entries.map(([name, { port, targets }]) => [name, { port, targets }]));
    await writeFileAtomic(this.#options.file, `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

function isTaken(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "EADDRINUSE" || error.code === "EACCES")
  );
}
