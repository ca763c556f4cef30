import { describe, expect, it } from "vitest";
import { type KernelFeature, ensureKernelFeatures } from "./kernel.ts";

const feature = (module: string, present: boolean): KernelFeature => ({
  module,
  purpose: `the purpose of ${module}`,
  isPresent: async () => present,
});

describe("ensureKernelFeatures", () => {
  it("wants nothing where everything is there, whether a module or built in", async () => {
    await expect(ensureKernelFeatures([feature("built_in_and_not_loadable", true)])).resolves.toBeUndefined();
  });

  it("names all that are missing in one error, with the command to run", async () => {
    const features = [
      feature("castle_no_such_a", false),
      feature("overlay", true),
      feature("castle_no_such_b", false),
    ];
    await expect(ensureKernelFeatures(features)).rejects.toMatchObject({
      code: "lan/kernel-feature-missing",
      message: expect.stringContaining(
        "castle_no_such_a (the purpose of castle_no_such_a), castle_no_such_b",
      ),
      hint: "run: modprobe -a castle_no_such_a castle_no_such_b",
    });
  });
});
