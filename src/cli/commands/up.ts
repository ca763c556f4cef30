import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  type YesFlags,
  aliasesWithYes,
  fileFlag,
  installToolsFlag,
  outputFlag,
  timeoutFlag,
  yesFlag,
} from "../flags.ts";

interface Flags extends FileFlags, OutputFlags, YesFlags {
  readonly installTools: boolean;
  readonly timeout: number;
}

export const upCommand = buildCommand({
  docs: {
    brief: "Raise the castle, or go on with one that was interrupted",
    fullDescription:
      "Raises the castle of the spec: machines by Terraform, Talos, etcd, Kubernetes behind the VIP; with gitops Flux and all that Git says, until every site shows its page over HTTPS. Looks first and does what is missing, so it can be run again at any time. Exit codes: 0 it stands, 1 failed, 2 fault in the spec, 3 castle's folder in Git was changed by hand (--yes writes over it), 4 something did not answer in time.",
  },
  parameters: {
    flags: { ...fileFlag, ...outputFlag, ...yesFlag, ...installToolsFlag, ...timeoutFlag },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const [{ raise }, { up }] = await Promise.all([
        import("../up-command.ts"),
        import("../../lifecycle/up.ts"),
      ]);
      return raise(this, report, flags, { verb: "up", work: up });
    });
  },
});
