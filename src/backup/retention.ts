import type { KeptBackup } from "./kept-backups.ts";

/** What stays; without either everything does. */
export interface Retention {
  /** That many of the newest. */
  readonly count?: number;
  /** All that are not older, in days. */
  readonly days?: number;
}

const DAY = 24 * 60 * 60 * 1000;

/**
 * The backups that may go: those that no rule keeps. The newest one never goes, nor the newest one that was proved: a
 * castle always has a backup of which it is known that it can be restored.
 * @param backups of one castle
 */
export function outdated(
  backups: readonly KeptBackup[],
  { count, days }: Retention,
  now: Date,
): readonly KeptBackup[] {
  if (count === undefined && days === undefined) return [];
  const newestFirst = backups.toSorted((one, other) => other.taken.getTime() - one.taken.getTime());
  const newestProved = newestFirst.find(({ proof }) => proof !== undefined);
  return newestFirst.filter((backup, index) => {
    if (index === 0 || backup === newestProved) return false;
    const counted = count !== undefined && index < count;
    const young = days !== undefined && now.getTime() - backup.taken.getTime() <= days * DAY;
    return !counted && !young;
  });
}
