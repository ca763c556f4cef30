import { expect, it } from "vitest";
import { AT, healthyExamination } from "../../../test/fixtures/examination/healthy.ts";
import type { BackupsExamination, Examination } from "../examination.ts";
import { backupAge } from "./backup-age.ts";

const hoursAgo = (hours: number) => new Date(AT.getTime() - hours * 3_600_000);

function examined(backups: BackupsExamination | undefined): Examination {
  const healthy = healthyExamination();
  return { ...healthy, castle: { ...healthy.castle, backup: { maxAgeHours: 26 } }, backups };
}

it.each<[string, BackupsExamination, string | undefined]>([
  ["young and proved", { place: "s3://b", newest: hoursAgo(25), proved: true }, undefined],
  [
    "none at all",
    { place: "s3://b", newest: undefined, proved: false },
    "critical: holds no backup of this castle",
  ],
  [
    "too old",
    { place: "s3://b", newest: hoursAgo(50), proved: true },
    "warning: the newest backup is 50 hours old, and should be at most 26",
  ],
  [
    "never proved",
    { place: "s3://b", newest: hoursAgo(1), proved: false },
    "warning: no backup was ever restored to prove it",
  ],
])("%s", (_, backups, finding) => {
  const found = backupAge.judge(examined(backups));
  expect(found).toHaveLength(finding === undefined ? 0 : 1);
  if (finding === undefined || "unknown" in found) return;
  expect(found.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([finding]);
  expect(found[0]?.object).toBe("s3://b");
});

it("says nothing of a castle whose spec has no backups, and that it does not know where the place is silent", () => {
  expect(backupAge.judge(healthyExamination())).toEqual([]);
  expect(backupAge.judge(examined({ silent: "no answer" }))).toEqual({ unknown: "no answer" });
});
