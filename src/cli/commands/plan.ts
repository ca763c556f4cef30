import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

export const planCommand = buildCommand({
  docs: {
    brief: "Show what castle up would change, without changing anything",
    fullDescription:
      "Compares the spec with hypervisor and nodes: machines, machine configurations, Talos versions; and lists what in a lab stands in for a rack. Starts nothing: for a lab that is not up, everything would be made. Exit code 3 if anything differs.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, { file, output }: FileFlags & OutputFlags) {
    await answer(this, output, async (report) => {
      const { plan } = await import("../plan-command.ts");
      return plan(this, report, file);
    });
  },
});
