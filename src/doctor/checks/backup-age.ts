import type { Check } from "../check.ts";

const HOUR = 60 * 60 * 1000;

export const backupAge: Check = {
  id: "backup-age",
  title: "The newest backup is young enough, and one was proved",
  judge: ({ castle, at, backups }) => {
    // A castle whose spec says nothing of backups is thrown away without one.
    if (castle.backup === undefined) return [];
    if (backups === undefined) return { unknown: "nobody looked at the backups" };
    if ("silent" in backups) return { unknown: backups.silent };
    const { place, newest, proved } = backups;
    const { maxAgeHours } = castle.backup;
    const fix = "castle backup --prove";
    if (newest === undefined) {
      return [{ severity: "critical", object: place, message: "holds no backup of this castle", fix }];
    }
    const hours = Math.floor((at.getTime() - newest.getTime()) / HOUR);
    if (hours >= maxAgeHours) {
      const message = `the newest backup is ${hours} hours old, and should be at most ${maxAgeHours}`;
      return [{ severity: "warning", object: place, message, fix }];
    }
    return proved
      ? []
      : [{ severity: "warning", object: place, message: "no backup was ever restored to prove it", fix }];
  },
};
