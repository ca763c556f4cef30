import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, aliasesWithYes, moveFlags, wholeNumber } from "../flags.ts";
import type { MoveFlags } from "../move-session.ts";

interface Flags extends MoveFlags, OutputFlags {
  readonly controlPlanes?: number;
  readonly workers?: number;
}

export const scaleCommand = buildCommand({
  docs: {
    brief: "Bring the castle to another number of nodes",
    fullDescription:
      "Edits castle.yaml, byte for byte, and follows it. On the way down the last nodes go, one after the other: drained, out of etcd and proved to be, out of Kubernetes, machine deleted. On the way up new control planes join one learner after the other. Control planes come in odd numbers.",
  },
  parameters: {
    flags: {
      ...moveFlags,
      controlPlanes: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "How many control planes; as many as there are unless told",
        placeholder: "N",
        optional: true,
      },
      workers: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "How many workers; as many as there are unless told",
        placeholder: "N",
        optional: true,
      },
    },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const [{ makeMove }, { scale }, { scaleMove }, { planScale }, { confirm }] = await Promise.all([
        import("../move-session.ts"),
        import("../../lifecycle/moves/scale.ts"),
        import("../../lifecycle/moves/spec-moves.ts"),
        import("../../lifecycle/moves/move-plan.ts"),
        import("../confirm.ts"),
      ]);
      const { controlPlanes, workers } = flags;
      return makeMove(this, report, flags, {
        verb: "scale",
        aim: (run, source) => scaleMove(run, source, { controlPlanes, workers }),
        plan: planScale,
        consent: async ({ machines }) => {
          const leaving = machines.flatMap(({ name, change }) => (change === "deleted" ? [name] : []));
          if (leaving.length > 0)
            await confirm(this, flags.yes, `delete ${leaving.join(", ")} with their disks`);
        },
        work: scale,
      });
    });
  },
});
