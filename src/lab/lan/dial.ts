import { type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";
import { CastleError } from "../../errors/castle-error.ts";
import {
  type AgentAnswer,
  type AgentRequest,
  agentAnswerShape,
  readLine,
  writeLine,
} from "./agent-protocol.ts";
import type { Neighbour } from "./neighbour.ts";

export interface DialOptions {
  /** Milliseconds until the machine must have accepted; 5000 unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a TCP connection on the LAN through the agent's unix socket. Each direction ends on its own.
 * @throws CastleError lan/agent-unreachable, lan/unreachable (details.code says how: ECONNREFUSED, EHOSTUNREACH …)
 */
export async function dialLan(
  socket: string,
  address: string,
  port: number,
  options: DialOptions = {},
): Promise<Duplex> {
  return dialMachine(socket, { address, port }, options);
}

/** As dialLan, for those who join the connection with another socket. */
export async function dialMachine(
  agent: string,
  target: { readonly address: string; readonly port: number },
  options: DialOptions = {},
): Promise<Socket> {
  const { connection, answer } = await ask(agent, { address: target.address, port: target.port }, options);
  if (answer.ok) return connection;
  connection.destroy();
  throw new CastleError("lan/unreachable", {
    message: `${target.address}:${target.port} on the lab's LAN did not accept a connection: ${answer.message}`,
    details: { address: target.address, port: target.port, code: answer.code },
  });
}

/**
 * Asks by ARP whether anybody holds the address.
 * @throws CastleError lan/agent-unreachable
 */
export async function probeLan(
  socket: string,
  address: string,
  options: DialOptions = {},
): Promise<Neighbour> {
  const { connection, answer } = await ask(socket, { probe: address }, options);
  connection.destroy();
  if (answer.ok && "present" in answer) return { present: answer.present, mac: answer.mac };
  const said = answer.ok ? "no answer to the probe" : answer.message;
  throw new CastleError("lan/agent-unreachable", {
    message: `the LAN agent could not probe ${address}: ${said}`,
  });
}

/**
 * Asks by ARP who holds each of these addresses: the MAC addresses of all who answer.
 * @throws CastleError lan/agent-unreachable
 */
export async function holdersOnLan(
  socket: string,
  addresses: readonly string[],
  options: DialOptions = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { connection, answer } = await ask(socket, { holders: [...addresses] }, options);
  connection.destroy();
  if (answer.ok && "holders" in answer) return new Map(Object.entries(answer.holders));
  const said = answer.ok ? "no answer to the question" : answer.message;
  throw new CastleError("lan/agent-unreachable", {
    message: `the LAN agent could not ask who holds ${addresses.join(", ")}: ${said}`,
  });
}

async function ask(
  path: string,
  request: AgentRequest,
  { timeout = 5_000, signal }: DialOptions,
): Promise<{ connection: Socket; answer: AgentAnswer }> {
  const connection = connect({ path, allowHalfOpen: true });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    connection.destroy();
  }, timeout);
  const onAbort = () => connection.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    writeLine(connection, request);
    const answer = agentAnswerShape.parse(JSON.parse(await readLine(connection)));
    return { connection, answer };
  } catch (cause) {
    connection.destroy();
    signal?.throwIfAborted();
    if (late) {
      const whom = nameOf(request);
      throw new CastleError("lan/unreachable", {
        message: `${whom} on the lab's LAN did not answer within ${timeout} ms`,
        details: { code: "ETIMEDOUT" },
      });
    }
    throw new CastleError("lan/agent-unreachable", {
      message: `the LAN agent on ${path} does not answer`,
      hint: "castle lab status",
      cause,
    });
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", onAbort);
  }
}

function nameOf(request: AgentRequest): string {
  if ("probe" in request) return request.probe;
  return "holders" in request ? request.holders.join(", ") : `${request.address}:${request.port}`;
}
