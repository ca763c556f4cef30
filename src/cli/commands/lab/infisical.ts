import { buildCommand } from "@stricli/core";
import type { Context } from "../../context.ts";
import { wholeNumber } from "../../flags.ts";

interface Flags {
  readonly port: number;
}

export const labInfisicalCommand = buildCommand({
  docs: {
    brief: "Serve a stand-in of Infisical on this machine, until interrupted",
    fullDescription:
      "Serves what of Infisical's API castle uses on 127.0.0.1, for a spec with secrets: {infisical: …} and no Infisical. It belongs to no lab, because what it keeps has to outlive the castle: secrets and credentials lie in castle's state folder (mode 0600), and come back with the next start.",
  },
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: wholeNumber,
        brief: "Port on 127.0.0.1; 0 takes a free one",
        default: "8480",
      },
    },
  },
  async func(this: Context, { port }: Flags) {
    const { standInInfisical } = await import("../../infisical-command.ts");
    await standInInfisical(this, port);
  },
});
