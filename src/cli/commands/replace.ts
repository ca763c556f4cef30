import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, aliasesWithYes, moveFlags } from "../flags.ts";
import type { MoveFlags } from "../move-session.ts";

export const replaceCommand = buildCommand({
  docs: {
    brief: "Make one node anew under its name and address, dead or alive",
    fullDescription:
      "Takes the node out of etcd, where quorum allows it, and out of Kubernetes and discovery; deletes its machine with the disk and makes a new one, which joins as a learner and votes. A node that is dead is not needed for any of it; one that lives is drained and leaves by itself first. What its own disk holds is gone.",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ brief: "The node's name", parse: String, placeholder: "NODE" }],
    },
    flags: { ...moveFlags },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: MoveFlags & OutputFlags, name: string) {
    await answer(this, flags.output, async (report) => {
      const [{ makeMove }, { nodeNamed, replace }, { planReplace }, { confirm }] = await Promise.all([
        import("../move-session.ts"),
        import("../../lifecycle/moves/replace.ts"),
        import("../../lifecycle/moves/move-plan.ts"),
        import("../confirm.ts"),
      ]);
      return makeMove(this, report, flags, {
        verb: "replace",
        aim: (run) => Promise.resolve(nodeNamed(run, name)),
        plan: planReplace,
        consent: () => confirm(this, flags.yes, `delete ${name} with its disk and make it anew`),
        work: replace,
      });
    });
  },
});
