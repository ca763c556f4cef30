import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, off } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly watch: boolean;
}

export const healthCommand = buildCommand({
  docs: {
    brief: "Check everything at once: nodes, etcd, VIP, Kubernetes, versions, certificates",
    fullDescription:
      "Asks all nodes of the spec and the API at the same time and judges what they say: all checks of talosctl health, and those it lacks. Exit code 3 where something was found or could not be told.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      watch: off("Look again every few seconds and tell what changes, until interrupted"),
    },
    aliases,
  },
  async func(this: Context, { file, output, watch }: Flags) {
    await answer(this, output, async () => {
      if (watch) (await import("../endless.ts")).refuseEndlessJson(output);
      const { castleHealth, watchHealth } = await import("../health-command.ts");
      return watch ? watchHealth(this, file) : castleHealth(this, file);
    });
  },
});
