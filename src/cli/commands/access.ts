import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, off } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly lan: boolean;
}

const lanFlag = {
  lan: off("With the castle network's own addresses, as a rack has it"),
} as const;

interface Access {
  readonly file: "kubeconfig" | "talosconfig";
  readonly kind: "Kubeconfig" | "Talosconfig";
  readonly brief: string;
  readonly fullDescription: string;
}

function accessCommand({ file, kind, brief, fullDescription }: Access) {
  return buildCommand({
    docs: { brief, fullDescription },
    parameters: { flags: { ...fileFlag, ...outputFlag, ...lanFlag }, aliases },
    async func(this: Context, flags: Flags) {
      await answer(this, flags.output, async () => {
        const [{ readSpecFile }, { accessFile }] = await Promise.all([
          import("../spec-file.ts"),
          import("../access-session.ts"),
        ]);
        const spec = await readSpecFile(this, flags.file);
        const { path, content } = await accessFile(this, spec, { kind: file, lan: flags.lan });
        return { kind, data: { file: path, lan: flags.lan }, text: content.reveal() };
      });
    },
  });
}

export const kubeconfigCommand = accessCommand({
  file: "kubeconfig",
  kind: "Kubeconfig",
  brief: "Print the administrator's kubeconfig",
  fullDescription:
    "Prints the administrator's kubeconfig, which opens the whole cluster: castle kubeconfig > ~/.kube/config. Against a lab it names a forward on 127.0.0.1; --lan names the VIP.",
});

export const talosconfigCommand = accessCommand({
  file: "talosconfig",
  kind: "Talosconfig",
  brief: "Print the administrator's talosconfig",
  fullDescription:
    "Prints the administrator's talosconfig, which opens every node. Against a lab it names forwards on 127.0.0.1; --lan names the nodes' own addresses.",
});
