import { describe, expect, it } from "vitest";
import { ServerFrames, clientFrame } from "./web-socket-frames.ts";

function serverFrame(payload: Buffer, opcode = 2): Buffer {
  const { length } = payload;
  const size =
    length < 126
      ? [length]
      : length <= 0xffff
        ? [126, length >> 8, length & 0xff]
        : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size]), payload]);
}

describe("frames", () => {
  it.each([1, 2, 3, 100, 5_000])("are read whole in pieces of %i bytes, of every size", (piece) => {
    const payloads = [0, 1, 125, 126, 300, ...(piece < 100 ? [] : [0xffff, 0x10000])].map((length, index) =>
      Buffer.alloc(length, index + 1),
    );
    const bytes = Buffer.concat(payloads.map((payload) => serverFrame(payload)));
    const frames = new ServerFrames();
    const read: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += piece) {
      for (const { payload } of frames.take(bytes.subarray(at, at + piece))) read.push(payload);
    }
    expect(read.map(({ length }) => length)).toEqual(payloads.map(({ length }) => length));
    expect(Buffer.concat(read).equals(Buffer.concat(payloads))).toBe(true);
  });

  it("tell when the server hangs up", () => {
    const read = new ServerFrames().take(
      Buffer.concat([serverFrame(Buffer.from("x")), serverFrame(Buffer.alloc(0), 8)]),
    );
    expect(read.map(({ closes }) => closes)).toEqual([false, true]);
  });

  it.each([0, 1, 125, 126, 0xffff])("of a client carry %i bytes under a mask", (length) => {
    const payload = Buffer.from(Array.from({ length }, (_, at) => at % 251));
    const frame = clientFrame(payload);
    const start = length < 126 ? 2 : 4;
    const mask = frame.subarray(start, start + 4);
    const bare = frame.subarray(start + 4).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    expect(frame[0]).toBe(0x82);
    expect(Buffer.from(bare).equals(payload)).toBe(true);
    expect((frame[1] ?? 0) & 0x80).toBe(0x80);
  });

  it("refuses what does not fit", () => {
    expect(() => clientFrame(Buffer.alloc(0x10000))).toThrow(RangeError);
  });
});
