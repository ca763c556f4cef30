import { buildCommand } from "@stricli/core";
import { answer } from "../../answer.ts";
import type { Context } from "../../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  type YesFlags,
  aliases,
  aliasesWithYes,
  fileFlag,
  installToolsFlag,
  outputFlag,
  yesFlag,
  off,
} from "../../flags.ts";

const labParameter = {
  kind: "tuple",
  parameters: [
    {
      parse: String,
      brief: "The lab's name; that of the spec unless told",
      placeholder: "LAB",
      optional: true,
    },
  ],
} as const;

interface UpFlags extends FileFlags, OutputFlags {
  readonly installTools: boolean;
}

export const labUpCommand = buildCommand({
  docs: {
    brief: "Bring a lab up: an empty hypervisor, or the one that was there with its machines",
    fullDescription:
      "Starts the lab's daemon. After a restart of the host, or lab down --keep-disks, the machines that were on are started again with their disks. Endpoint and token for other clients of the Proxmox API go into a file that only root may read.",
  },
  parameters: {
    flags: { ...fileFlag, ...outputFlag, ...installToolsFlag },
    aliases,
    positional: labParameter,
  },
  async func(this: Context, { file, output, installTools }: UpFlags, lab?: string) {
    await answer(this, output, async (report) => {
      const { labUp } = await import("../../lab-commands.ts");
      return labUp(this, report, { file, lab, installTools });
    });
  },
});

interface DownFlags extends FileFlags, OutputFlags, YesFlags {
  readonly keepDisks: boolean;
}

export const labDownCommand = buildCommand({
  docs: {
    brief: "Take a lab away, with its daemon, machines and network",
    fullDescription:
      "Ends the daemon and leaves nothing on this host: no process, namespace, mount, cgroup or file. Works on a crashed lab too. Where the lab has machines it asks, or needs --yes; --keep-disks keeps them for the next lab up.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      ...yesFlag,
      keepDisks: off("Keep disks and settings; the next lab up starts what was on"),
    },
    aliases: aliasesWithYes,
    positional: labParameter,
  },
  async func(this: Context, { file, output, yes, keepDisks }: DownFlags, lab?: string) {
    await answer(this, output, async (report) => {
      const { labDown } = await import("../../lab-commands.ts");
      return labDown(this, report, { file, lab, yes, keepDisks });
    });
  },
});

export const labStatusCommand = buildCommand({
  docs: {
    brief: "Show a lab's endpoint, machines, memory and forwards",
    fullDescription: "Exit code 3 where the lab is not up.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases, positional: labParameter },
  async func(this: Context, { file, output }: FileFlags & OutputFlags, lab?: string) {
    await answer(this, output, async () => {
      const { labStatus } = await import("../../lab-commands.ts");
      return labStatus(this, { file, lab });
    });
  },
});
