import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

export const certsCommand = buildCommand({
  docs: {
    brief: "Show the sites' certificates: issuer, state, days left",
    fullDescription:
      "A certificate is pending, valid, or failed with what the ACME server or its challenge said. Exit code 3 where one failed.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, { file, output }: FileFlags & OutputFlags) {
    await answer(this, output, async () => {
      const { listCertificates } = await import("../certs-command.ts");
      return listCertificates(this, file);
    });
  },
});
