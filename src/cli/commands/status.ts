import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

export const statusCommand = buildCommand({
  docs: {
    brief: "Show nodes, etcd, VIP, versions, and what Flux, ingress and sites say",
    fullDescription:
      "Asks hypervisor, machine API, etcd, Kubernetes and Flux at once. Exit code 3 where something is not as the spec says.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, flags: FileFlags & OutputFlags) {
    await answer(this, flags.output, async () => {
      const { statusOf } = await import("../status-command.ts");
      return statusOf(this, flags.file);
    });
  },
});
