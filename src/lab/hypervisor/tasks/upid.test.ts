import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatUpid, parseUpid } from "./upid.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);

describe("UPID", () => {
  it("reads what it shows, in eight parts", () => {
    const upid = fc.record({
      host: name,
      pid: fc.nat(0x3f_ff_ff),
      pstart: fc.nat(0x7f_ff_ff_ff),
      startTime: fc.nat(0x7f_ff_ff_ff),
      type: name,
      id: fc.oneof(fc.constant(""), fc.nat(999_999).map(String)),
      user: fc.constantFrom("root@pam", "castle@pve!lab"),
    });
    fc.assert(
      fc.property(upid, (task) => {
        const text = formatUpid(task);
        expect(text.split(":")).toHaveLength(9);
        expect(parseUpid(text)).toEqual(task);
      }),
    );
  });

  it.each([
    "",
    "UPID:pve:1:2:3:qmstart:100:root@pam:",
    "UPID:pve:0000ABCD:00123456:66AABBCC:qmstart:100:root@pam",
  ])("does not read %j", (text) => {
    expect(parseUpid(text)).toBeUndefined();
  });
});
