import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

export const loginCommand = buildCommand({
  docs: {
    brief: "Get kubeconfig and talosconfig from the secret store",
    fullDescription:
      "Makes another machine one that the castle is operated from: nothing is needed but the spec and the credentials of its secret store. Writes kubeconfig and talosconfig (mode 0600) beside the spec and asks the castle whether they open it.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, { file, output }: FileFlags & OutputFlags) {
    await answer(this, output, async (report) => {
      const { login } = await import("../login-command.ts");
      return login(this, file, report);
    });
  },
});
