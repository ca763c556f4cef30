import type { Duplex } from "node:stream";

const HEADER = 12;
const A = 1;
const INTERNET = 1;
const NO_SUCH_NAME = 3;

/** A question for the IPv4 addresses of a name, as it goes over TCP: RFC 1035, sections 4.1 and 4.2.2. */
export function nameQuery(host: string): Buffer {
  const labels = host
    .replace(/\.$/, "")
    .split(".")
    .flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]);
  const message = Buffer.concat([
    // One question, recursion wanted; the id may be any, since the connection carries nothing else.
    Buffer.from([0xca, 0x57, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels,
    Buffer.from([0, 0, A, 0, INTERNET]),
  ]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/**
 * The addresses in an answer, sorted; none where the name is not known.
 * @throws RangeError if the message ends before its parts do, Error with the server's refusal
 */
export function readAddresses(message: Buffer): readonly string[] {
  const code = message.readUInt8(3) & 0xf;
  if (code === NO_SUCH_NAME) return [];
  if (code !== 0) throw new Error(`the name server answered with code ${code}`);
  const questions = message.readUInt16BE(4);
  const answers = message.readUInt16BE(6);
  let at = HEADER;
  for (let index = 0; index < questions; index += 1) at = afterName(message, at) + 4;
  const found: string[] = [];
  for (let index = 0; index < answers; index += 1) {
    at = afterName(message, at);
    const type = message.readUInt16BE(at);
    const length = message.readUInt16BE(at + 8);
    const data = at + 10;
    if (type === A && length === 4) {
      found.push([0, 1, 2, 3].map((byte) => message.readUInt8(data + byte)).join("."));
    }
    at = data + length;
  }
  return found.sort();
}

function afterName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    // A pointer to an earlier name ends this one.
    if ((length & 0xc0) === 0xc0) return at + 2;
    at += 1 + length;
  }
}

/** Asks a name server over a connection that is open, and hangs up. @throws Error if no whole answer comes */
export async function askName(connection: Duplex, host: string): Promise<readonly string[]> {
  let received = Buffer.alloc(0);
  try {
    connection.write(nameQuery(host));
    for await (const chunk of connection) {
      if (!Buffer.isBuffer(chunk)) continue;
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) continue;
      const length = received.readUInt16BE(0);
      if (received.length >= 2 + length) return readAddresses(received.subarray(2, 2 + length));
    }
  } finally {
    connection.destroy();
  }
  throw new Error("the name server hung up without an answer");
}
