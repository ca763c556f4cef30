import { describe, expect, it } from "vitest";
import { imageVersion } from "./image-version.ts";

describe("the Talos version of an image", () => {
  it.each([
    ["https://factory.talos.dev/image/376567988ad3/v1.11.5/nocloud-amd64.raw.gz", "v1.11.5"],
    ["talos-1.11.5-amd64.raw", "v1.11.5"],
    ["https://x/v1.12.0-beta.1/metal-amd64.iso", "v1.12.0-beta.1"],
    ["https://10.0.0.1:8080/v1.11.5/nocloud.raw", "v1.11.5"],
  ])("is in %s", (text, version) => {
    expect(imageVersion(text)).toBe(version);
  });

  it.each(["https://x/nocloud-amd64.raw.gz", "https://192.168.1.1/talos.raw", "talos-v1.11.raw"])(
    "is not in %s",
    (text) => {
      expect(imageVersion(text)).toBeUndefined();
    },
  );

  it("comes from the first text that names one", () => {
    expect(imageVersion("https://x/latest/talos.raw", "talos-v1.11.5.raw")).toBe("v1.11.5");
  });
});
