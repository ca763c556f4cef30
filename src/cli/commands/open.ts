import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag, off } from "../flags.ts";

interface Flags extends FileFlags, OutputFlags {
  readonly browser: boolean;
}

export const openCommand = buildCommand({
  docs: {
    brief: "Print the address at which a browser on this machine opens a site",
    fullDescription:
      "On a rack it is the site's own. In a lab it is http://SITE.localhost:PORT/, which browsers find on this machine by themselves: /etc/hosts stays as it is, and the site's certificate is verified on the way.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      browser: off("Open it in this desktop's browser as well"),
    },
    aliases,
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: String,
          brief: "A site of the spec; the only one unless told",
          placeholder: "SITE",
          optional: true,
        },
      ],
    },
  },
  async func(this: Context, { file, output, browser }: Flags, site?: string) {
    await answer(this, output, async () => {
      const { openSite } = await import("../open-command.ts");
      return openSite(this, { file, browser, site });
    });
  },
});
