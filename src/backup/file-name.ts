/** A backup's file: castle and time are told by its name, so that a list needs no key. */
export interface BackupName {
  readonly castle: string;
  readonly taken: Date;
}

const SUFFIX = ".castle-backup.age";
const pattern = /^(?<castle>[a-z0-9][-a-z0-9]*)-(?<stamp>\d{8}T\d{6}\.\d{3}Z)\.castle-backup\.age$/;

/** fortress-20261123T101500.123Z.castle-backup.age */
export function backupFileName({ castle, taken }: BackupName): string {
  const stamp = taken.toISOString().replaceAll(/[-:]/g, "");
  return `${castle}-${stamp}${SUFFIX}`;
}

/** Undefined: it is no backup's. */
export function parseBackupName(file: string): BackupName | undefined {
  const { castle, stamp } = pattern.exec(file)?.groups ?? {};
  if (castle === undefined || stamp === undefined) return undefined;
  const iso = stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/, "$1-$2-$3T$4:$5:");
  return { castle, taken: new Date(iso) };
}

/** Beside the backup, once it was proved. */
export function proofFileName(file: string): string {
  return `${file}.proof.json`;
}
