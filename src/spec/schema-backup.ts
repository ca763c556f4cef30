import { section, text, whole } from "./schema-parts.ts";

const placeExpected = "a folder or s3://BUCKET/PREFIX";

export const backupSection = section({
  to: text(/^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/\S*)?|(?!s3:)\S.*)$/, placeExpected).describe(
    "Where castle backup keeps its files: a folder, relative to the spec, or s3://BUCKET/PREFIX. Default: NAME.backups.",
  ),
  keep: whole(1, 10_000, "how many backups stay").describe("That many of the newest stay. Default: all."),
  keepDays: whole(1, 3_650, "for how many days a backup stays").describe(
    "Backups that are not older stay. Default: all.",
  ),
  maxAgeHours: whole(1, 8_760, "after how many hours a backup is missed").describe(
    "castle health complains of a newest backup that is older. Default: 26.",
  ),
}).partial();
