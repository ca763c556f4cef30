import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly to: string;
}

export const renderCommand = buildCommand({
  docs: {
    brief: "Write Terraform's configuration, machine configs and manifests, to read or to run yourself",
    fullDescription:
      "Writes main.tf.json, a machine configuration for every node, talosconfig, with gitops what the repository would hold, and a README into a folder of mode 0700; the configurations hold the castle's secrets. A castle without secrets gets them now, and castle up goes on with them. Nothing is raised.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      to: {
        kind: "parsed",
        parse: String,
        brief: "Folder to write to",
        placeholder: "DIR",
        default: "rendered",
      },
    },
    aliases,
  },
  async func(this: Context, { file, output, to }: Flags) {
    await answer(this, output, async () => {
      const { render } = await import("../render-command.ts");
      return render(this, file, to);
    });
  },
});
