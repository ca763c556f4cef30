import { describe, expect, it } from "vitest";
import { nameQuery, readAddresses } from "./name-query.ts";

/** What a server makes of a question: the same with answers behind it, each naming the question by a pointer. */
function answerTo(query: Buffer, addresses: readonly string[], code = 0): Buffer {
  const message = Buffer.from(query.subarray(2));
  message.writeUInt8(0x80 | code, 3);
  message.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split(".").map(Number)]),
  );
  return Buffer.concat([message, ...records]);
}

describe("a name server's answer", () => {
  const query = nameQuery("blog.fortress.lan");

  it("asks in the words of RFC 1035", () => {
    expect(query.readUInt16BE(0)).toBe(query.length - 2);
    expect(query.subarray(14).toString("latin1")).toBe("\x04blog\x08fortress\x03lan\x00\x00\x01\x00\x01");
  });

  it.each([
    ["one address", ["192.168.1.230"]],
    ["several, sorted", ["10.0.0.2", "10.0.0.9"]],
    ["none", []],
  ])("%s", (_, addresses) => {
    expect(readAddresses(answerTo(query, addresses.toReversed()))).toEqual(addresses);
  });

  it("a name that is not known has no address", () => {
    expect(readAddresses(answerTo(query, [], 3))).toEqual([]);
  });

  it("a refusal is none", () => {
    expect(() => readAddresses(answerTo(query, [], 2))).toThrow("code 2");
  });

  it("a message cut short is an error, not an answer", () => {
    expect(() => readAddresses(answerTo(query, ["10.0.0.2"]).subarray(0, -3))).toThrow(RangeError);
  });
});
