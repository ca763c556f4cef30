import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backupFileName, parseBackupName } from "./file-name.ts";
import type { KeptBackup } from "./kept-backups.ts";
import { outdated } from "./retention.ts";

const DAY = 86_400_000;
const now = new Date("2026-06-01T00:00:00Z");
const proof = { sha256: "", at: now.toISOString(), objects: 1 };

function backup(days: number, proved = false): KeptBackup {
  const taken = new Date(now.getTime() - days * DAY);
  return { name: String(days), taken, bytes: 1, proof: proved ? proof : undefined };
}
const gone = (backups: readonly KeptBackup[], retention: Parameters<typeof outdated>[1]) =>
  outdated(backups, retention, now).map(({ name }) => name);

const newest = (some: readonly KeptBackup[]) => Math.max(...some.map(({ taken }) => taken.getTime()));
const isProved = (one: KeptBackup) => one.proof !== undefined;

describe("retention", () => {
  it("lets go what neither rule keeps", () => {
    const backups = [0, 1, 2, 10, 20, 30].map((days) => backup(days));
    expect(gone(backups, {})).toEqual([]);
    expect(gone(backups, { count: 2 })).toEqual(["2", "10", "20", "30"]);
    expect(gone(backups, { days: 10 })).toEqual(["20", "30"]);
    expect(gone(backups, { count: 5, days: 1 })).toEqual(["30"]);
  });

  it("keeps the newest that was proved, however old", () => {
    const backups = [backup(0), backup(5), backup(90, true), backup(91, true)];
    expect(gone(backups, { count: 1 })).toEqual(["5", "91"]);
  });

  it("never takes the newest, nor the newest proved one, and is done after one time", () => {
    const backups = fc.uniqueArray(fc.tuple(fc.nat(400), fc.boolean()), {
      selector: ([days]) => days,
      minLength: 1,
    });
    const rules = fc.record(
      { count: fc.integer({ min: 1, max: 9 }), days: fc.integer({ min: 1, max: 300 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(backups, rules, (described, retention) => {
        const all = described.map(([days, proved]) => backup(days, proved));
        const removed = new Set(outdated(all, retention, now));
        const kept = all.filter((one) => !removed.has(one));
        expect(newest(kept)).toBe(newest(all));
        // Without a proved one both are -Infinity.
        expect(newest(kept.filter(isProved))).toBe(newest(all.filter(isProved)));
        expect(outdated(kept, retention, now)).toEqual([]);
      }),
    );
  });
});

describe("a backup's name", () => {
  it("tells castle and time, and nothing else has such a name", () => {
    const told = { castle: "my-fort-2", taken: new Date("2026-11-23T10:15:00.123Z") };
    const file = backupFileName(told);
    expect(file).toBe("my-fort-2-20261123T101500.123Z.castle-backup.age");
    expect(parseBackupName(file)).toEqual(told);
    for (const other of [`${file}.proof.json`, "fortress.secrets.age", "castle-backup.age"]) {
      expect(parseBackupName(other)).toBeUndefined();
    }
  });
});
