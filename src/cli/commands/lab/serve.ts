import { once } from "node:events";
import { buildCommand } from "@stricli/core";
import type { Context } from "../../context.ts";

const nameParameter = {
  kind: "tuple",
  parameters: [{ parse: String, brief: "The lab's name", placeholder: "LAB" }],
} as const;

/** The daemon itself; `lab up` starts it. */
export const labServeCommand = buildCommand({
  docs: { brief: "Run a lab's daemon in the foreground" },
  parameters: { positional: nameParameter },
  async func(this: Context, _flags: object, lab: string) {
    const [{ runDaemon }, { readSettings }, { foldersOf }] = await Promise.all([
      import("../../../lab/daemon/daemon.ts"),
      import("../../../lab/daemon/settings.ts"),
      import("../../lab-folders.ts"),
    ]);
    const folders = foldersOf(this, lab);
    const settings = await readSettings(folders);
    if (settings === undefined) throw new Error(`lab ${lab} has no settings in ${folders.settings}`);
    const log = (line: string) => this.process.stdout.write(`${this.now().toISOString()} ${line}\n`);
    await runDaemon({ folders, settings, signal: this.signal, log });
  },
});

/** The process inside the LAN; the daemon starts it. */
export const labAgentCommand = buildCommand({
  docs: { brief: "Run a lab's agent inside its LAN" },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, brief: "Options as JSON", placeholder: "OPTIONS" }],
    },
  },
  async func(this: Context, _flags: object, options: string) {
    const { parseAgentOptions, runAgent } = await import("../../../lab/lan/agent.ts");
    const agent = await runAgent(parseAgentOptions(options));
    if (!this.signal.aborted) await once(this.signal, "abort");
    await agent.close();
  },
});
