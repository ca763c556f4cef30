import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatProperties, parseProperties } from "./property-string.ts";

const key = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const value = fc.stringMatching(/^[A-Za-z0-9:./=;_-]{0,20}$/);

describe("property strings", () => {
  it("reads what it shows", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key, value), { minLength: 1, selector: ([name]) => name }),
        (pairs) => {
          expect([...parseProperties(formatProperties(new Map(pairs)))]).toEqual(pairs);
        },
      ),
    );
  });

  it("gives a first part without a key the default one, and shows it without", () => {
    const properties = parseProperties("local:iso/talos.iso,media=cdrom,", "file");
    expect([...properties]).toEqual([
      ["file", "local:iso/talos.iso"],
      ["media", "cdrom"],
    ]);
    expect(formatProperties(properties, "file")).toBe("local:iso/talos.iso,media=cdrom");
  });

  it.each(["a=1,b", "a=1,=2", "lonely", "a=1,a=2"])("refuses %j", (text) => {
    expect(() => parseProperties(text)).toThrow(RangeError);
  });
});
