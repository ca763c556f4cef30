import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, off } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly name: string;
  readonly proxmox: boolean;
}

export const initCommand = buildCommand({
  docs: {
    brief: "Write a commented castle.yaml",
    fullDescription:
      "Writes a commented castle.yaml for the lab, or with --proxmox for a rack. Never overwrites a file.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      name: { kind: "parsed", parse: String, brief: "The castle's name", default: "fortress" },
      proxmox: off("For Proxmox hosts instead of the lab"),
    },
    aliases,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async () => {
      const { writeTemplate } = await import("../spec-file.ts");
      const path = await writeTemplate(this, flags.file, {
        name: flags.name,
        kind: flags.proxmox ? "proxmox" : "lab",
      });
      return {
        kind: "SpecWritten",
        data: { file: path },
        text: `Wrote ${flags.file}. Next: castle validate, castle up`,
      };
    });
  },
});
