import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import { type FileFlags, type OutputFlags, aliases, fileFlag, outputFlag } from "../flags.ts";

export const validateCommand = buildCommand({
  docs: { brief: "Check a castle.yaml; every fault at once, with its place" },
  parameters: { flags: { ...fileFlag, ...outputFlag }, aliases },
  async func(this: Context, flags: FileFlags & OutputFlags) {
    await answer(this, flags.output, async () => {
      const [{ readSpecFile }, { warnings }] = await Promise.all([
        import("../spec-file.ts"),
        import("../../spec/warnings.ts"),
      ]);
      const { castle } = await readSpecFile(this, flags.file);
      const found = warnings(castle);
      const lines = found.map(
        ({ message, hint }) => `! ${message}${hint === undefined ? "" : `\n  ${hint}`}`,
      );
      const nodes = castle.nodes.map(({ name, role, address, host }) => ({ name, role, address, host }));
      return {
        kind: "Validation",
        data: { castle: castle.name, nodes, faults: [], warnings: found },
        text: [
          `${flags.file} is valid: castle ${castle.name}, VIP ${castle.network.vip}`,
          ...nodes.map(({ name, address, host }) => `  ${name}  ${address}  on ${host}`),
          ...lines,
        ].join("\n"),
      };
    });
  },
});
