import { buildCommand } from "@stricli/core";
import type { Context } from "../context.ts";
import { type FileFlags, fileFlag } from "../flags.ts";

const parameters = {
  flags: fileFlag,
  aliases: { f: "file" },
  positional: {
    kind: "array",
    parameter: { parse: String, brief: "Arguments of the program", placeholder: "ARG" },
  },
} as const;

export const kubectlCommand = buildCommand({
  docs: {
    brief: "Run kubectl against the castle: castle kubectl -- get nodes",
    fullDescription:
      "Runs kubectl with the castle's kubeconfig; what stands after -- is passed on, and its exit code comes back.",
  },
  parameters,
  async func(this: Context, flags: FileFlags, ...args: string[]) {
    const { passThrough } = await import("../tool-session.ts");
    await passThrough(this, "kubectl", flags.file, args);
  },
});

export const talosctlCommand = buildCommand({
  docs: {
    brief: "Run talosctl against the castle: castle talosctl -- get members",
    fullDescription:
      "Runs talosctl with the castle's talosconfig; what stands after -- is passed on, and its exit code comes back. Without -n the first control plane is asked; node names of the spec may stand for addresses.",
  },
  parameters,
  async func(this: Context, flags: FileFlags, ...args: string[]) {
    const { passThrough } = await import("../tool-session.ts");
    await passThrough(this, "talosctl", flags.file, args);
  },
});
