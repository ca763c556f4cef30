import { buildCommand, buildRouteMap } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

const listCommand = buildCommand({
  docs: {
    brief: "List what the secret store holds, and the Secrets that castle put into the cluster",
    fullDescription:
      "Names and times, never values. Exit code 3 where something waits to be written to the store: castle secrets sync.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, { file, output }: FileFlags & OutputFlags) {
    await answer(this, output, async () => {
      const { listSecrets } = await import("../secrets-commands.ts");
      return listSecrets(this, file);
    });
  },
});

const syncCommand = buildCommand({
  docs: {
    brief: "Write to the secret store what it does not hold yet",
    fullDescription:
      "Writes what was kept on this machine while the store did not answer, and certificates that the cluster has renewed. Nothing is overwritten that belongs to another castle.",
  },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, { file, output }: FileFlags & OutputFlags) {
    await answer(this, output, async (report) => {
      const { syncSecrets } = await import("../secrets-commands.ts");
      return syncSecrets(this, file, report);
    });
  },
});

export const secretsRoutes = buildRouteMap<string, Context>({
  docs: { brief: "The castle's secrets: where they are kept, and since when" },
  routes: { list: listCommand, sync: syncCommand },
  defaultCommand: "list",
});
