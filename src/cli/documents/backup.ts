import { z } from "zod";

/** What `-o json` says of backups. */

const name = z.string().meta({ description: "The file's name in its place" });
const place = z.string().meta({ description: "A folder's path, or s3://BUCKET/PREFIX" });
const taken = z.string().meta({ description: "ISO 8601, UTC" });
const keys = z.array(z.string());

const loss = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("counted"),
    made: keys.meta({ description: "Objects made since the backup: they go" }),
    changed: keys.meta({ description: "Objects changed since: they are as they were" }),
    deleted: keys.meta({ description: "Objects deleted since: they are back" }),
  }),
  z.object({ kind: z.literal("unknown"), reason: z.string() }),
]);

export const backupDocuments = {
  CastleBackup: z
    .object({
      castle: z.string(),
      place,
      name,
      dryRun: z.boolean().meta({ description: "Nothing was done" }),
      taken: taken.optional(),
      bytes: z.int().optional(),
      objects: z.int().optional().meta({ description: "Kubernetes objects in it" }),
      removed: keys.meta({ description: "Older backups that the retention let go" }),
      proof: z
        .object({
          proved: z.boolean(),
          same: z.int().meta({ description: "Objects that came back byte for byte" }),
          missing: keys,
          changed: keys,
          added: keys,
          kinds: z.int().meta({ description: "Kinds that the restored API lists" }),
          refused: keys.meta({ description: "Kinds that it does not list" }),
          unseen: keys.meta({ description: "Keys in its etcd that it does not show" }),
        })
        .optional(),
    })
    .meta({ description: "castle backup; exit code 3 where --prove found a difference" }),
  CastleBackups: z
    .object({
      castle: z.string(),
      place,
      backups: z
        .array(
          z.object({
            name,
            taken,
            bytes: z.int(),
            proved: z.string().optional().meta({ description: "When it was proved; absent: it was not" }),
          }),
        )
        .meta({ description: "Newest first" }),
    })
    .meta({ description: "castle backups" }),
  CastleRestored: z
    .object({
      castle: z.string(),
      place,
      name,
      taken,
      dryRun: z.boolean().meta({ description: "Nothing was done" }),
      loss,
      healthy: z.boolean().optional().meta({ description: "What castle health says afterwards" }),
      warnings: z.array(z.object({ message: z.string(), hint: z.string().optional() })),
      milliseconds: z.int().min(0).optional(),
    })
    .meta({ description: "castle restore; exit code 3 where the restored castle is not healthy" }),
};
