import { describe, expect, it } from "vitest";
import { isImageOf } from "./image.ts";

describe("isImageOf", () => {
  it("knows the castle's own images, of whatever version", () => {
    expect(isImageOf("fortress", "local:import/talos-v1.11.5-376567988ad3-fortress.raw")).toBe(true);
    expect(isImageOf("fortress", "local:import/talos-v1.12.0-beta.1-376567988ad3-fortress.raw")).toBe(true);
  });

  it("does not mistake another castle's for it", () => {
    expect(isImageOf("fortress", "local:import/talos-v1.11.5-376567988ad3-old-fortress.raw")).toBe(false);
    expect(isImageOf("fortress", "local:import/fortress.raw")).toBe(false);
  });
});
