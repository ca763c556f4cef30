import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  type YesFlags,
  aliasesWithYes,
  dryRunFlag,
  fileFlag,
  outputFlag,
  timeoutFlag,
  yesFlag,
} from "../flags.ts";

interface Flags extends FileFlags, OutputFlags, YesFlags {
  readonly dryRun: boolean;
  readonly timeout: number;
}

export const resetCommand = buildCommand({
  docs: {
    brief: "Wipe every node, all at once, and prove that they are empty",
    fullDescription:
      "The clean slate: all nodes lose their disks and are back in maintenance mode. Machines and secrets stay, so that the next up raises the same castle on empty disks. What etcd and the nodes' volumes hold is gone.",
  },
  parameters: {
    flags: { ...fileFlag, ...outputFlag, ...yesFlag, ...dryRunFlag, ...timeoutFlag },
    aliases: aliasesWithYes,
  },
  async func(this: Context, { file, output, yes, dryRun, timeout }: Flags) {
    await answer(this, output, async (report) => {
      if (dryRun) {
        const [{ tellPlan }, { planReset }] = await Promise.all([
          import("../move-session.ts"),
          import("../../lifecycle/moves/move-plan.ts"),
        ]);
        return tellPlan(this, report, file, { verb: "reset", plan: planReset });
      }
      const [{ readSpecFile }, { changeCastle }, { reset }, { confirm }] = await Promise.all([
        import("../spec-file.ts"),
        import("../session.ts"),
        import("../../lifecycle/reset/reset.ts"),
        import("../confirm.ts"),
      ]);
      const spec = await readSpecFile(this, file);
      const { castle } = spec;
      await confirm(this, yes, `wipe all ${castle.nodes.length} nodes of castle ${castle.name}`);
      const nodes = await changeCastle(
        this,
        { spec, verb: "reset", report, patience: timeout * 1000 },
        (run) => reset(run),
      );
      const outcomes = Object.entries(nodes).map(([name, outcome]) => ({ name, outcome }));
      return {
        kind: "CastleReset",
        data: { castle: castle.name, nodes: outcomes },
        text: `Castle ${castle.name} is empty: ${outcomes.map(({ name, outcome }) => `${name} ${outcome}`).join(", ")}.\nNext: castle up`,
      };
    });
  },
});
