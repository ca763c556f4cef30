import { buildCommand, buildRouteMap } from "@stricli/core";
import { answer } from "../../answer.ts";
import type { Context } from "../../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, off } from "../../flags.ts";

const node = { parse: String, brief: "A machine's name or VM id", placeholder: "NODE" } as const;
const nodeParameter = { kind: "tuple", parameters: [node] } as const;

interface LogFlags extends FileFlags, OutputFlags {
  readonly follow: boolean;
}

export const labLogsCommand = buildCommand({
  docs: {
    brief: "Print what a machine's console has said since it was powered on",
    fullDescription: "Also of a machine that is off, and of a lab that is down with its disks kept.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      follow: off("Go on with what comes, until interrupted"),
    },
    aliases,
    positional: nodeParameter,
  },
  async func(this: Context, { file, output, follow }: LogFlags, name: string) {
    await answer(this, output, async () => {
      if (follow) (await import("../../endless.ts")).refuseEndlessJson(output);
      const { labLogs } = await import("../../lab-inside.ts");
      return labLogs(this, { file, node: name, follow });
    });
  },
});

interface ExecFlags extends FileFlags {
  readonly network: boolean;
}

export const labExecCommand = buildCommand({
  docs: {
    brief: "Run a program inside a machine: castle lab exec NODE -- CMD",
    fullDescription:
      "A Talos node has no shell, only its own programs. --network runs a program of this host in the machine's network instead: castle lab exec --network NODE -- ip address. The program's exit code comes back.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      network: off("A program of this host, in the machine's network"),
    },
    aliases: { f: "file" },
    positional: {
      kind: "array",
      minimum: 1,
      parameter: { parse: String, brief: "NODE, and after -- the command", placeholder: "NODE CMD" },
    },
  },
  async func(this: Context, { file, network }: ExecFlags, ...[name = "", ...command]: string[]) {
    await answer(this, "text", async () => {
      const { labExec } = await import("../../lab-inside.ts");
      return labExec(this, { file, node: name, network, command });
    });
  },
});

function powerCommand(action: "on" | "off" | "cut", brief: string) {
  return buildCommand({
    docs: { brief },
    parameters: { flags: { ...fileFlag, ...outputFlag }, aliases, positional: nodeParameter },
    async func(this: Context, { file, output }: FileFlags & OutputFlags, name: string) {
      await answer(this, output, async (report) => {
        const { labPower } = await import("../../lab-commands.ts");
        return labPower(this, report, { file, lab: undefined, node: name, action });
      });
    },
  });
}

export const labPowerRoutes = buildRouteMap<string, Context>({
  docs: { brief: "Press a machine's power button, or pull its plug" },
  routes: {
    on: powerCommand("on", "Power a machine on"),
    off: powerCommand("off", "Let a machine shut itself down; after 60 s its plug is pulled"),
    cut: powerCommand("cut", "Pull a machine's plug at once; its disks stay"),
  },
});
