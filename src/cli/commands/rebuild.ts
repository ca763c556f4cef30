import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, aliasesWithYes, moveFlags, off } from "../flags.ts";
import type { UpFlags } from "../up-command.ts";

interface Flags extends UpFlags, OutputFlags {
  readonly newIdentity: boolean;
  readonly dryRun: boolean;
}

export const rebuildCommand = buildCommand({
  docs: {
    brief: "Reset, then up: the same castle on empty disks",
    fullDescription:
      "Wipes every node and raises the castle again with the secrets and certificates that its store holds. With --new-identity the secrets are made anew, and the old ones stay in the store under a name of their own: every kubeconfig and talosconfig that was handed out ends. What etcd and the nodes' volumes hold is gone; what Git holds comes back.",
  },
  parameters: {
    flags: {
      ...moveFlags,
      newIdentity: off("New certificate authorities, tokens and keys; the old ones are kept"),
    },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      if (flags.dryRun) {
        const [{ tellPlan }, { planRebuild }] = await Promise.all([
          import("../move-session.ts"),
          import("../../lifecycle/moves/move-plan.ts"),
        ]);
        return tellPlan(this, report, flags.file, { verb: "rebuild", plan: planRebuild });
      }
      const [{ raise }, { rebuild }, { confirm }] = await Promise.all([
        import("../up-command.ts"),
        import("../../lifecycle/reset/rebuild.ts"),
        import("../confirm.ts"),
      ]);
      return raise(this, report, flags, {
        verb: "rebuild",
        work: (run) => rebuild(run, flags),
        consent: ({ name, nodes }) =>
          confirm(
            this,
            flags.yes,
            `wipe all ${nodes.length} nodes of castle ${name} and raise it again${flags.newIdentity ? " with new secrets" : ""}`,
          ),
      });
    });
  },
});
