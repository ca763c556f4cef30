import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { Context } from "../context.ts";
import {
  type FileFlags,
  type OutputFlags,
  type YesFlags,
  aliasesWithYes,
  fileFlag,
  outputFlag,
  timeoutFlag,
  yesFlag,
  off,
} from "../flags.ts";

interface Flags extends FileFlags, OutputFlags, YesFlags {
  readonly cure: boolean;
  readonly dryRun: boolean;
  readonly timeout: number;
}

export const ghostsCommand = buildCommand({
  docs: {
    brief: "Name the members that etcd, discovery or Kubernetes wrongly believe in, and cure them",
    fullDescription:
      "Asks every node of the spec, its etcd, discovery, Kubernetes and the hypervisor at once, and names what does not belong: classes G1 to G8 (docs/ghosts.md), with the evidence, the quorum before and after, and the cure. --cure does it where quorum allows; --cure --dry-run shows each step with its arithmetic. Exit codes: 0 none (joining is none yet), 3 ghosts or no quorum, 1 a cure was refused, 4 nobody told of etcd.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      cure: off("Cure what is found, one after the other, as far as quorum allows"),
      dryRun: off("With --cure: only show each step and what it makes of the quorum"),
      ...yesFlag,
      ...timeoutFlag,
    },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: Flags) {
    await answer(this, flags.output, async (report) => {
      const { castleGhosts, cureCastleGhosts } = await import("../ghosts-command.ts");
      return flags.cure && !flags.dryRun
        ? cureCastleGhosts(this, report, flags)
        : castleGhosts(this, flags.file);
    });
  },
});
