import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type OutputFlags, aliasesWithYes, moveFlags } from "../flags.ts";
import type { MoveFlags } from "../move-session.ts";

interface Flags extends MoveFlags, OutputFlags {
  readonly to: string;
  readonly pool?: string;
}

export const shiftCommand = buildCommand({
  docs: {
    brief: "Move the whole castle to other addresses",
    fullDescription:
      "The first control plane gets the address that is told; VIP, all other nodes and the load balancer's pool move by the same offset. Looks for others on the new addresses first and names the persistent volumes that will be lost; then every node is wiped and raised again at its new address, with the secrets and certificates of before. What Git holds comes back.",
  },
  parameters: {
    flags: {
      ...moveFlags,
      to: {
        kind: "parsed",
        parse: String,
        brief: "The new address of the first control plane",
        placeholder: "ADDRESS",
      },
      pool: {
        kind: "parsed",
        parse: String,
        brief: "The new pool; the old one moved by the same offset unless told",
        placeholder: "FIRST-LAST",
        optional: true,
      },
    },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const [{ makeMove }, { shift }, { shiftMove }, { planShift }, { confirm }] = await Promise.all([
        import("../move-session.ts"),
        import("../../lifecycle/moves/shift.ts"),
        import("../../lifecycle/moves/spec-moves.ts"),
        import("../../lifecycle/moves/move-plan.ts"),
        import("../confirm.ts"),
      ]);
      const { to, pool } = flags;
      return makeMove(this, report, flags, {
        verb: "shift",
        aim: (run, source) => shiftMove(run, source, { to, pool }),
        plan: planShift,
        consent: async ({ machines, lost }, { name, nodes }) => {
          if (machines.length === 0) return;
          const volumes = lost.length === 0 ? "" : `lose the persistent volumes ${lost.join(", ")}, `;
          await confirm(
            this,
            flags.yes,
            `${volumes}wipe all ${nodes.length} nodes of castle ${name} and raise it again at ${to}`,
          );
        },
        work: shift,
      });
    });
  },
});
