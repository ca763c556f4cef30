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
      "Flux fetches the repository by itself every 20 seconds. This makes it fetch now, and ends when every component runs that revision and is healthy. Exit codes: 0 applied, 1 something fails, 4 no answer in time.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag, ...timeoutFlag }, aliases },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const { reconcileCastle } = await import("../reconcile-command.ts");
      return reconcileCastle(this, report, flags);
    });
  },
});
