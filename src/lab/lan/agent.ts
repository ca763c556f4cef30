import { chmod, mkdir, rm } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { dirname } from "node:path";
import { z } from "zod";
import { type AgentAnswer, agentRequestShape, readLine, writeLine } from "./agent-protocol.ts";
import { serveDiscovery } from "./discovery/service.ts";
import { gitServerShape, serveGit } from "./git-server.ts";
import { findHolders } from "./holders.ts";
import { findNeighbour } from "./neighbour.ts";
import { splice } from "./splice.ts";

const optionsShape = z.strictObject({
  /** Path of the unix socket to listen on; undefined: there is no way in through this process. */
  socket: z.string().optional(),
  /** Where nodes reach the discovery service; undefined: there is none. */
  discovery: z.object({ host: z.string(), port: z.int() }).optional(),
  /** Repositories to serve; undefined: none. */
  git: gitServerShape.optional(),
  /** Milliseconds that a machine has to accept a connection; 5000 unless told. */
  dialTimeout: z.int().optional(),
});
export type AgentOptions = Readonly<z.infer<typeof optionsShape>>;

/** Reads what the daemon adds to the agent's command. @throws Error if it is something else */
export function parseAgentOptions(argument: string): AgentOptions {
  return optionsShape.parse(JSON.parse(argument));
}

export interface Agent {
  close(): Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

/**
 * A process inside the LAN, which serves what its options name. Whoever may open its unix socket can dial TCP on the LAN
 * through it, since unix sockets cross network namespaces. When the socket exists, all the rest is served.
 */
export async function runAgent(options: AgentOptions): Promise<Agent> {
  const served: Closable[] = [];
  if (options.discovery !== undefined) served.push(await serveDiscovery(options.discovery));
  if (options.git !== undefined) served.push(await serveGit(options.git));
  if (options.socket !== undefined)
    served.push(await serveSocket(options.socket, options.dialTimeout ?? 5_000));
  return {
    async close() {
      for (const closable of served.toReversed()) await closable.close();
    },
  };
}

async function serveSocket(path: string, dialTimeout: number): Promise<Closable> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    sockets.add(client);
    client.on("close", () => sockets.delete(client));
    // Without a listener a client that goes away would end the agent.
    client.on("error", () => client.destroy());
    void serveClient(client, dialTimeout);
  });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  await listen(server, path);
  await chmod(path, 0o600);
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function serveClient(client: Socket, dialTimeout: number): Promise<void> {
  try {
    const request = agentRequestShape.parse(JSON.parse(await readLine(client)));
    if ("probe" in request) {
      const neighbour = await findNeighbour(request.probe);
      answer(client, { ok: true, ...neighbour });
      client.end();
      return;
    }
    if ("holders" in request) {
      answer(client, { ok: true, holders: await findHolders(request.holders) });
      client.end();
      return;
    }
    const machine = await dial(client, request, dialTimeout);
    answer(client, { ok: true });
    splice(client, machine);
  } catch (error) {
    const { code, message } = describe(error);
    answer(client, { ok: false, code, message });
    client.end();
  }
}

function dial(
  client: Socket,
  target: { readonly address: string; readonly port: number },
  timeout: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const machine = connect({ host: target.address, port: target.port, allowHalfOpen: true, noDelay: true });
    const deadline = setTimeout(() => fail(new DialTimeout(`no answer within ${timeout} ms`)), timeout);
    const onGone = () => fail(new Error("the client went away"));
    const stop = () => {
      clearTimeout(deadline);
      client.off("close", onGone);
      machine.off("error", fail);
    };
    const fail = (error: Error) => {
      stop();
      machine.on("error", () => {});
      machine.destroy();
      reject(error);
    };
    client.on("close", onGone);
    machine.on("error", fail);
    machine.on("connect", () => {
      stop();
      // A machine that loses its power says no goodbye.
      machine.setKeepAlive(true, 10_000);
      machine.pause();
      resolve(machine);
    });
  });
}

class DialTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

function answer(client: Socket, message: AgentAnswer): void {
  if (!client.destroyed) writeLine(client, message);
}

function describe(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "EUNKNOWN", message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : "EINVAL";
  return { code, message: error.message };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
