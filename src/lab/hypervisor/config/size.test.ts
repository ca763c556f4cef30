import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSize, parseSize } from "./size.ts";

describe("sizes", () => {
  it.each([
    [20 * 1024 ** 3, "20G"],
    [1280 * 1024 ** 2, "1280M"],
    [1024 ** 4, "1T"],
    [1, "1"],
  ])("shows %i bytes as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it("reads what it shows", () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1024, 1024 ** 2, 1024 ** 3), (count, unit) => {
        expect(parseSize(formatSize(count * unit))).toBe(count * unit);
      }),
    );
  });

  it.each(["", "G", "20g", "-1G", "1.G", "20 G"])("does not read %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});
