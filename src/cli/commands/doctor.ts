import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly kubeconfig?: string;
}

export const doctorCommand = buildCommand({
  docs: {
    brief: "Find the cause of what is wrong, in a cluster or in folders of manifests",
    fullDescription:
      "Without PATHs it examines the castle of the spec, or the cluster of --kubeconfig. With PATHs it reads manifests, Helm values and the YAML inside Terraform files, and asks nobody. Every finding names object, evidence and mend. Exit code 3 where something was found.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      kubeconfig: {
        kind: "parsed",
        parse: String,
        brief: "Examine this kubeconfig's cluster, whoever raised it",
        placeholder: "FILE",
        optional: true,
      },
    },
    aliases,
    positional: {
      kind: "array",
      parameter: { parse: String, brief: "Folder or file to read instead", placeholder: "PATH" },
    },
  },
  async func(this: Context, { file, output, kubeconfig }: Flags, ...paths: readonly string[]) {
    await answer(this, output, async () => {
      const { castleDoctor } = await import("../doctor-command.ts");
      return castleDoctor(this, { file, kubeconfig, paths });
    });
  },
});
