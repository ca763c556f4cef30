import type { Socket } from "node:net";
import { isIPv4 } from "node:net";
import { z } from "zod";

/*
 * The agent's socket: the client sends one line of JSON, the agent answers with one line of JSON. After a dial that was
 * answered with ok, all further bytes belong to the connection, both ways, each direction closed on its own.
 */

const address = z.string().refine((text) => isIPv4(text), "expected an IPv4 address");

export const agentRequestShape = z.union([
  z.strictObject({ address, port: z.int().min(1).max(65_535) }),
  z.strictObject({ probe: address }),
  z.strictObject({ holders: z.array(address).max(64) }),
]);
export type AgentRequest = z.infer<typeof agentRequestShape>;

export const agentAnswerShape = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ ok: z.literal(true), present: z.boolean(), mac: z.string().optional() }),
  z.strictObject({ ok: z.literal(true), holders: z.record(z.string(), z.array(z.string())) }),
  z.strictObject({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);
export type AgentAnswer = z.infer<typeof agentAnswerShape>;

const LONGEST_LINE = 16_384;

/**
 * Reads up to the first line feed; what came after it is put back, and the socket stays paused.
 * @throws Error if the socket ends or fails before, or the line is longer than 16384 bytes
 */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const stop = () => {
      socket.pause();
      socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onError);
    };
    const fail = (error: Error) => {
      stop();
      reject(error);
    };
    const onEnd = () => fail(new Error("the connection ended before the first line"));
    const onError = (error: Error) => fail(error);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf(0x0a);
      if (end === -1 && received.length <= LONGEST_LINE) return;
      if (end === -1 || end > LONGEST_LINE) {
        fail(new Error(`the first line is longer than ${LONGEST_LINE} bytes`));
        return;
      }
      stop();
      const rest = received.subarray(end + 1);
      if (rest.length > 0) socket.unshift(rest);
      resolve(received.toString("utf8", 0, end));
    };
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", onError);
    // A listener alone does not wake a socket that was paused on purpose.
    socket.resume();
  });
}

export function writeLine(socket: Socket, message: AgentRequest | AgentAnswer): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
