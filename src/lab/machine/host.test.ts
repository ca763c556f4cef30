import { expect, test } from "vitest";
import { effectiveCapabilities, openFilesLimit } from "./host.ts";

test("capabilities are read from the kernel's mask, the ones above bit 31 too", () => {
  const names = effectiveCapabilities("Name:\tx\nCapEff:\t0000010001000001\n");
  expect(names).toEqual(["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_CHECKPOINT_RESTORE"]);
});

test("a host without CAP_SYS_RESOURCE keeps its hard limit of open files, one with it gives what Talos asks", () => {
  const limits =
    "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 20000                files\n";
  expect(openFilesLimit(limits, [])).toBe(20_000);
  expect(openFilesLimit(limits, ["CAP_SYS_RESOURCE"])).toBe(1_048_576);
});
