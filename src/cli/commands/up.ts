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
import { elapsed } from "../progress/elapsed.ts";

interface Flags extends FileFlags, OutputFlags, YesFlags {
  readonly installTools: boolean;
  readonly timeout: number;
}

export const upCommand = buildCommand({
  docs: {
    brief: "Raise the castle, or go on with one that was interrupted",
    fullDescription:
      "Raises the castle of the spec: machines by Terraform, Talos, etcd, Kubernetes behind the VIP. Looks first and does what is missing, so it can be run again at any time. Exit codes: 0 it stands, 1 failed, 2 fault in the spec, 4 something did not answer in time.",
  },
  parameters: {
    flags: { ...fileFlag, ...outputFlag, ...yesFlag, ...installToolsFlag, ...timeoutFlag },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const [{ readSpecFile }, { changeCastle }, { up }, { ensureLabParts }, { assertRoot }, { warnings }] =
        await Promise.all([
          import("../spec-file.ts"),
          import("../session.ts"),
          import("../../lifecycle/up.ts"),
          import("../parts-session.ts"),
          import("../lab-session.ts"),
          import("../../spec/warnings.ts"),
        ]);
      const spec = await readSpecFile(this, flags.file);
      for (const { message, hint } of warnings(spec.castle)) {
        report({ type: "warning", message, ...(hint === undefined ? {} : { hint }) });
      }
      if (spec.castle.hypervisor.kind === "lab") {
        assertRoot(this);
        await ensureLabParts(this, report, flags.installTools);
      }
      const raised = await changeCastle(
        this,
        { spec, verb: "up", report, patience: flags.timeout * 1000 },
        up,
      );
      const { name, network, nodes } = spec.castle;
      const file = flags.file === "castle.yaml" ? "" : ` -f ${flags.file}`;
      return {
        kind: "CastleRaised",
        data: { castle: name, vip: network.vip, nodes: nodes.map((node) => node.name), milliseconds: raised },
        text: `Castle ${name} stands: ${nodes.length} nodes Ready behind ${network.vip} after ${elapsed(raised.ready)} (API after ${elapsed(raised.api)}).\nNext: castle status${file}, castle kubectl${file} -- get nodes`,
      };
    });
  },
});
