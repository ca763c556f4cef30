import { buildCommand } from "@stricli/core";
import { answer } from "../answer.ts";
import type { BackupFlags, BackupsFlags } from "../backup-command.ts";
import type { Context } from "../context.ts";
import {
  type OutputFlags,
  aliases,
  aliasesWithYes,
  fileFlag,
  installToolsFlag,
  outputFlag,
  timeoutFlag,
  wholeNumber,
  yesFlag,
  off,
} from "../flags.ts";
import type { RestoreFlags } from "../restore-command.ts";

function place(brief: string) {
  return { kind: "parsed", parse: String, brief, placeholder: "PLACE", optional: true } as const;
}

function count(brief: string) {
  return { kind: "parsed", parse: atLeastOne, brief, placeholder: "N", optional: true } as const;
}

/** @throws Error for the command line to show */
function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number >= 1) return number;
  throw new Error(`${text} would keep nothing`);
}

export const backupCommand = buildCommand({
  docs: {
    brief: "Back the castle up: etcd, secrets, spec and versions in one encrypted file",
    fullDescription:
      "Reads etcd from its furthest member, checks its hash, and writes it with the secrets, castle.yaml and all versions into one file, encrypted for this user's age identity. PLACE is a folder or s3://BUCKET/PREFIX; the spec's backup.to unless told, else NAME.backups beside the spec. Older backups go by --keep and --keep-days; the newest, and the newest that was proved, never do. --prove restores it into a throwaway castle in a lab on this machine and compares every object: exit code 3 where one differs.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      ...installToolsFlag,
      ...timeoutFlag,
      to: place("Where the backup goes: a folder or s3://BUCKET/PREFIX"),
      keep: count("Keep that many of the newest backups"),
      keepDays: count("Keep the backups of that many days"),
      prove: off("Restore it into a throwaway castle and compare every object"),
      dryRun: off("Only say what would be written and deleted"),
    },
    aliases,
  },
  async func(this: Context, flags: BackupFlags & OutputFlags) {
    await answer(this, flags.output, async (report) => {
      const { backupCastle } = await import("../backup-command.ts");
      return backupCastle(this, report, flags);
    });
  },
});

export const backupsCommand = buildCommand({
  docs: {
    brief: "List the castle's backups, newest first, and which of them were proved",
    fullDescription:
      "Lists the castle's backups by their names; none is opened, so no key is needed. PLACE is a folder or s3://BUCKET/PREFIX.",
  },
  parameters: {
    flags: {
      ...fileFlag,
      ...outputFlag,
      from: place("Where the backups lie; the spec's backup.to unless told"),
    },
    aliases,
  },
  async func(this: Context, flags: BackupsFlags & OutputFlags) {
    await answer(this, flags.output, async () => {
      const { listBackups } = await import("../backup-command.ts");
      return listBackups(this, flags);
    });
  },
});

export const restoreCommand = buildCommand({
  docs: {
    brief: "Put the castle back as a backup knows it, objects and all",
    fullDescription:
      "BACKUP is a file, s3://BUCKET/KEY, a name that castle backups lists, or newest. The backup is opened and checked first: one that is damaged, of another castle, of other versions, or old (more than 7 days, or not the newest; --allow-old) is refused before anything is touched. Then every node is wiped and the castle raised again from the backup's etcd and secrets. Works from nothing but castle.yaml, the backup and the age identity. Exit code 3 where the restored castle is not healthy.",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Which backup; newest for the newest", placeholder: "BACKUP", parse: String }],
    },
    flags: {
      ...fileFlag,
      ...outputFlag,
      ...yesFlag,
      ...installToolsFlag,
      ...timeoutFlag,
      from: place("Where the backups lie; the spec's backup.to unless told"),
      allowOld: off("An old backup is meant"),
      dryRun: off("Only check the backup and say what would be lost"),
    },
    aliases: aliasesWithYes,
  },
  async func(this: Context, flags: RestoreFlags & OutputFlags, backup: string) {
    await answer(this, flags.output, async (report) => {
      const { restoreCastle } = await import("../restore-command.ts");
      return restoreCastle(this, report, flags, backup);
    });
  },
});
