import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  type YesFlags,
  aliasesWithYes,
  fileFlag,
  outputFlag,
  yesFlag,
} from "../flags.ts";

export const downCommand = buildCommand({
  docs: {
    brief: "Delete the castle's machines, and only what carries its tag",
    fullDescription:
      "Deletes the castle's machines and their disks; only what carries the castle's tag. The secrets stay in the store, so that the next up raises the same castle. A lab that has no machine left is taken away as well.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag, ...yesFlag }, aliases: aliasesWithYes },
  async func(this: Context, flags: FileFlags & OutputFlags & YesFlags) {
    await answer(this, flags.output, async (report) => {
      const [{ readSpecFile }, { changeCastle }, { down }, { confirm }, { closeEmptyLab, labExists }] =
        await Promise.all([
          import("../spec-file.ts"),
          import("../session.ts"),
          import("../../lifecycle/down.ts"),
          import("../confirm.ts"),
          import("../lab-session.ts"),
        ]);
      const spec = await readSpecFile(this, flags.file);
      const { castle } = spec;
      const nothing = {
        kind: "CastleGone",
        data: { castle: castle.name, machines: [] },
        text: `Castle ${castle.name} is down already`,
      } as const;
      if (castle.hypervisor.kind === "lab" && !(await labExists(this, castle.hypervisor.lab))) return nothing;
      await confirm(
        this,
        flags.yes,
        `delete the machines of castle ${castle.name} and all that is on their disks`,
      );
      const machines = await changeCastle(this, { spec, verb: "down", report }, down);
      if (castle.hypervisor.kind === "lab") await closeEmptyLab(this, castle.hypervisor.lab, report);
      return {
        kind: "CastleGone",
        data: { castle: castle.name, machines },
        text: `Castle ${castle.name} is down: ${machines.length === 0 ? "it had no machines" : `${machines.join(", ")} deleted`}`,
      };
    });
  },
});
