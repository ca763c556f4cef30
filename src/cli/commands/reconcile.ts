import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, timeoutFlag } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly timeout: number;
}

export const reconcileCommand = buildCommand({
  docs: {
    brief: "Make Flux apply now what was pushed, and wait for it",
    fullDescription:
      "Flux fetches the repository by itself every 20 seconds. This makes it fetch now for the components that the push concerns, and ends when they run it and are healthy. Exit codes: 0 applied, 1 something fails, 4 no answer in time.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag, ...timeoutFlag }, aliases },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const { reconcileCastle } = await import("../reconcile-command.ts");
      return reconcileCastle(this, report, flags);
    });
  },
});
