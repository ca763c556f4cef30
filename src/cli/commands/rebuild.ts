import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { aliasesWithYes, fileFlag, installToolsFlag, outputFlag, timeoutFlag, yesFlag } from "../flags.ts";
import type { OutputFlags } from "../flags.ts";
import type { UpFlags } from "../up-command.ts";

export const rebuildCommand = buildCommand({
  docs: {
    brief: "Reset, then up: the same castle on empty disks",
    fullDescription:
      "Wipes every node and raises the castle again with the secrets and certificates that its store holds. What etcd and the nodes' volumes hold is gone; what Git holds comes back.",
  },
  parameters: {
    flags: { ...fileFlag, ...outputFlag, ...yesFlag, ...installToolsFlag, ...timeoutFlag },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: UpFlags & OutputFlags) {
    await answer(this, flags.output, async (report) => {
      const [{ raise }, { rebuild }, { confirm }] = await Promise.all([
        import("../up-command.ts"),
        import("../../lifecycle/reset/rebuild.ts"),
        import("../confirm.ts"),
      ]);
      return raise(this, report, flags, {
        verb: "rebuild",
        work: rebuild,
        consent: ({ name, nodes }) =>
          confirm(this, flags.yes, `wipe all ${nodes.length} nodes of castle ${name} and raise it again`),
      });
    });
  },
});
