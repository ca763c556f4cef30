import { randomBytes } from "node:crypto";

const BINARY = 0x82;
const MASKED = 0x80;
const CLOSE = 8;

export interface Frame {
  /** What is no message: the other side hangs up. */
  readonly closes: boolean;
  readonly payload: Buffer;
}

/** One whole binary message from a client, whose bytes RFC 6455, section 5.3, wants masked. */
export function clientFrame(payload: Buffer): Buffer {
  if (payload.length > 0xffff) throw new RangeError(`a message of ${payload.length} bytes is too long`);
  const header =
    payload.length < 126
      ? Buffer.from([BINARY, MASKED | payload.length])
      : Buffer.from([BINARY, MASKED | 126, payload.length >> 8, payload.length & 0xff]);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, payload.map((byte, at) => byte ^ mask.readUInt8(at % 4))]);
}

/** Takes apart what a server sends, in whatever pieces it comes; a server masks nothing. */
export class ServerFrames {
  #received = Buffer.alloc(0);

  /** @returns what is whole by now */
  take(chunk: Buffer): readonly Frame[] {
    this.#received = Buffer.concat([this.#received, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) return frames;
      frames.push(frame);
    }
  }

  #next(): Frame | undefined {
    const received = this.#received;
    if (received.length < 2) return undefined;
    const short = received.readUInt8(1) & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (received.length < start) return undefined;
    const length =
      short < 126 ? short : short === 126 ? received.readUInt16BE(2) : Number(received.readBigUInt64BE(2));
    if (received.length < start + length) return undefined;
    this.#received = received.subarray(start + length);
    return {
      closes: (received.readUInt8(0) & 0xf) === CLOSE,
      payload: Buffer.from(received.subarray(start, start + length)),
    };
  }
}
