import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { optionalInteger, parseForm, parseJsonBody, requiredText } from "./input.ts";

describe("parameters", () => {
  it("are the same from a form and from JSON", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]\w{0,8}$/), fc.oneof(fc.string(), fc.nat())),
        (given) => {
          const form = new URLSearchParams(
            Object.entries(given).map(([key, value]): [string, string] => [key, String(value)]),
          );
          expect([...parseForm(form.toString())]).toEqual([...parseJsonBody(JSON.stringify(given))]);
        },
      ),
    );
  });

  it("are 1 and 0 where JSON says true and false, and absent where it says null", () => {
    expect([...parseJsonBody('{"a": true, "b": false, "c": null}')]).toEqual([
      ["a", "1"],
      ["b", "0"],
    ]);
  });

  it.each(["", "[]", "1", "{", '{"a": {"b": 1}}'])("are not in the body %j", (body) => {
    expect(() => parseJsonBody(body)).toThrow("Parameter verification failed.");
  });

  it("are refused by name where they are missing or no number", () => {
    expect(() => requiredText(new Map(), "url")).toThrow(
      expect.objectContaining({ errors: { url: expect.stringContaining("not optional") } }),
    );
    expect(() => optionalInteger(new Map([["vmid", "1x"]]), "vmid")).toThrow(
      expect.objectContaining({ status: 400, errors: { vmid: expect.stringContaining("integer") } }),
    );
  });
});
