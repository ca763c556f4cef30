import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  aliases,
  fileFlag,
  outputFlag,
  wholeNumber,
  off,
} from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly follow: boolean;
  readonly tail: number;
}

export const eventsCommand = buildCommand({
  docs: {
    brief: "Show what happened: events of all nodes and castle's own runs, in time order",
    fullDescription:
      "Merges the machine events of all nodes with the journal of castle's last runs. A node keeps its events until it restarts. Nodes that do not answer are named.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      follow: off("Go on with what comes, until interrupted"),
      tail: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "How many past events to show",
        placeholder: "N",
        default: "50",
      },
    },
    aliases,
  },
  async func(this: Context, { file, output, follow, tail }: Flags) {
    await answer(this, output, async () => {
      if (follow) (await import("../endless.ts")).refuseEndlessJson(output);
      const { castleEvents } = await import("../events-command.ts");
      return castleEvents(this, { file, follow, tail });
    });
  },
});
