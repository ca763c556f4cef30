import { buildCommand } from "@stricli/core";
import { answer } from "../../answer.ts";
import type { Context } from "../../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  aliases,
  fileFlag,
  outputFlag,
  sitePositional,
} from "../../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly from: string;
}

export const labSourceCommand = buildCommand({
  docs: {
    brief: "Make a folder a site's repository, with the lab's Git server as its remote",
    fullDescription:
      "Copies the folder to where the spec says that the site's source lies, pins base and Hugo in castle.lock, commits, and pushes to SITE-src on the lab's Git server, with a login that the cluster does not have. From then on it is a repository like any other: edit, commit, push, castle publish. One that is there already is left as it is; a lab that has lost it gets it again.",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [sitePositional],
    },
    flags: {
      ...fileFlag,
      ...outputFlag,
      from: {
        kind: "parsed",
        parse: String,
        brief: "Folder that the repository begins with",
        placeholder: "FOLDER",
      },
    },
    aliases,
  },
  async func(this: Context, { file, output, from }: Flags, site?: string) {
    await answer(this, output, async (report) => {
      const { labSource } = await import("../../lab-source-command.ts");
      return labSource(this, report, { file, site, from });
    });
  },
});
